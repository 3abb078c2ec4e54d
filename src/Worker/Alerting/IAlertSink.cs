namespace Maintenance.Worker.Alerting;

/// <summary>A way out for alerts. A sink that fails or hangs is counted and logged, and neither a job nor another sink notices.</summary>
public interface IAlertSink
{
    /// <summary>Metric label; a closed set.</summary>
    string Name { get; }

    /// <summary>Sends what one evaluation found, in one message if the receiver takes several.</summary>
    /// <param name="notices">At least one.</param>
    /// <param name="cancellationToken">Ends at <see cref="AlertingOptions.SinkTimeout"/> and, at shutdown, when the short time for what is still queued is over.</param>
    Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken);
}
