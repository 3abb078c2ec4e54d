using System.Diagnostics.Metrics;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Alerting;

/// <summary>Carries what is to be told to every sink, all sinks at the same time, one message after the other; at shutdown what is queued, for a short time.</summary>
public sealed class AlertDispatcher : BackgroundService
{
    /// <summary>How long what is still queued at shutdown may take; the jobs end before, within the same grace of a supervisor.</summary>
    internal static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(2);

    private const string Success = "success";
    private const string Failure = "failure";

    private readonly AlertCenter center;
    private readonly IReadOnlyList<IAlertSink> sinks;
    private readonly IOptionsMonitor<AlertingOptions> options;
    private readonly TimeProvider timeProvider;
    private readonly ILogger<AlertDispatcher> logger;
    private readonly Counter<long> sent;

    /// <summary>Creates the dispatcher; the counters exist with zero from here on.</summary>
    public AlertDispatcher(
        AlertCenter center,
        IEnumerable<IAlertSink> sinks,
        IOptionsMonitor<AlertingOptions> options,
        IMeterFactory meterFactory,
        TimeProvider timeProvider,
        ILogger<AlertDispatcher> logger)
    {
        this.center = center;
        this.sinks = [.. sinks];
        this.options = options;
        this.timeProvider = timeProvider;
        this.logger = logger;
        sent = meterFactory.Create(WorkerMeter.Name).CreateCounter<long>("maintenance.alerts.sent", description: "Alerts given to a sink, by outcome.");
        foreach (var sink in this.sinks)
        {
            Count(sink, Success, 0);
            Count(sink, Failure, 0);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var end = new CancellationTokenSource(Timeout.InfiniteTimeSpan, timeProvider);
        await using var stopping = stoppingToken.Register(() => end.CancelAfter(DrainLimit));
        while (await MayHaveMoreAsync(stoppingToken))
        {
            while (!end.IsCancellationRequested && center.Notices.TryRead(out var notices))
            {
                await Task.WhenAll(sinks.Select(sink => SendAsync(sink, notices, end.Token)));
            }

            if (stoppingToken.IsCancellationRequested)
            {
                break;
            }
        }

        // The other replicas take these for told: who missed one hears of it when it is repeated.
        var lost = 0;
        while (center.Notices.TryRead(out var notices))
        {
            lost += notices.Count;
        }

        if (lost > 0 || end.IsCancellationRequested)
        {
            logger.AlertsNotSent(lost, DrainLimit.TotalSeconds);
        }
    }

    /// <summary>Waits for a message. True also at shutdown, so that the queue is looked at once more.</summary>
    private async Task<bool> MayHaveMoreAsync(CancellationToken stoppingToken)
    {
        try
        {
            return await center.Notices.WaitToReadAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return true;
        }
    }

    private async Task SendAsync(IAlertSink sink, IReadOnlyList<AlertNotice> notices, CancellationToken end)
    {
        using var timeout = new CancellationTokenSource(options.CurrentValue.SinkTimeout, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, end);
        try
        {
            await sink.SendAsync(notices, either.Token).WaitAsync(either.Token);
            Count(sink, Success, notices.Count);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // Shutdown is no fault of the sink; what was cut off is said at the end.
        }
        catch (OperationCanceledException)
        {
            Count(sink, Failure, notices.Count);
            logger.SinkFailed(sink.Name, notices.Count, $"no end within {options.CurrentValue.SinkTimeout.TotalSeconds:0.#} s (Alerting:SinkTimeout)");
        }
        catch (Exception exception)
        {
            Count(sink, Failure, notices.Count);
            logger.SinkFailed(sink.Name, notices.Count, exception.Message);
        }
    }

    private void Count(IAlertSink sink, string outcome, int alerts) =>
        sent.Add(alerts, new KeyValuePair<string, object?>("sink", sink.Name), new KeyValuePair<string, object?>("outcome", outcome));
}
