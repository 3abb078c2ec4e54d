namespace Maintenance.Worker.Alerting;

/// <summary>Alerts as log lines: critical ones as errors, warnings as warnings, ends as information.</summary>
internal sealed class LogSink(ILogger<LogSink> logger) : IAlertSink
{
    public string Name => "log";

    public Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken)
    {
        foreach (var notice in notices)
        {
            var alert = notice.Alert;
            if (notice.State == AlertState.Resolved)
            {
                logger.AlertResolved(alert.Identity, notice.Since, alert.Summary);
            }
            else
            {
                logger.AlertFiring(
                    alert.Severity == AlertSeverity.Critical ? LogLevel.Error : LogLevel.Warning,
                    alert.Identity, alert.Severity, notice.Since, notice.Repeated, alert.Summary);
            }
        }

        return Task.CompletedTask;
    }
}
