using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Alerting;

/// <summary>Carries what is to be told to every sink, each on its own lane; at shutdown what is queued, for a short time.</summary>
public sealed class AlertDispatcher : BackgroundService
{
    /// <summary>How long what is still queued at shutdown may take; the jobs end before, within the same grace of a supervisor.</summary>
    internal static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(2);

    private readonly AlertCenter center;
    private readonly List<SinkLane> lanes;
    private readonly TimeProvider timeProvider;
    private readonly ILogger<AlertDispatcher> logger;
    private readonly ToldAlerts? told;

    /// <summary>Creates the dispatcher; the sinks' counters exist with zero from here on.</summary>
    public AlertDispatcher(
        AlertCenter center,
        IEnumerable<IAlertSink> sinks,
        SinkOutcomes outcomes,
        IOptionsMonitor<AlertingOptions> options,
        TimeProvider timeProvider,
        ILogger<AlertDispatcher> logger,
        ToldAlerts? told = null)
    {
        this.center = center;
        this.told = told;
        this.timeProvider = timeProvider;
        this.logger = logger;
        lanes = [];
        foreach (var sink in sinks)
        {
            outcomes.Register(sink.Name);
            lanes.Add(new SinkLane(sink, outcomes, options, timeProvider));
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var end = new CancellationTokenSource(Timeout.InfiniteTimeSpan, timeProvider);
        await using var stopping = stoppingToken.Register(() => end.CancelAfter(DrainLimit));
        var running = lanes.ConvertAll(lane => lane.RunAsync(stoppingToken, end.Token));
        while (await MayHaveMoreAsync(stoppingToken))
        {
            while (center.Notices.TryRead(out var notices))
            {
                Hand(notices);
            }

            if (stoppingToken.IsCancellationRequested)
            {
                break;
            }
        }

        lanes.ForEach(lane => lane.Complete());
        await Task.WhenAll(running);

        // The other replicas take these for told: who missed one hears of it when it is repeated.
        var lost = lanes.Sum(lane => lane.Lost);
        if (lost > 0)
        {
            logger.AlertsNotSent(lost, DrainLimit.TotalSeconds);
        }
    }

    private void Hand(IReadOnlyList<AlertNotice> notices)
    {
        var left = lanes.Count;
        var handed = new HandedNotices(notices, () =>
        {
            // A sink that is away has been asked too: it is asked again from here, for as long as this process lives.
            if (Interlocked.Decrement(ref left) == 0)
            {
                told?.Note(notices);
            }
        });
        lanes.ForEach(lane => lane.Put(handed));
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
}
