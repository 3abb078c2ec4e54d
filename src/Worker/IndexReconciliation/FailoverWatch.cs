using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>
/// Asks for a full pass when the probe meets another server process than the last pass swept: after a failover, acknowledged writes may be lost, and
/// after a restart whatever was not persisted.
/// </summary>
internal sealed class FailoverWatch(
    LatestSnapshot<RedisHealthSnapshot> probes,
    LatestSnapshot<IndexReconciliationSnapshot> passes,
    Func<CancellationToken, Task<bool>> reconcile,
    TimeProvider timeProvider,
    ILogger<FailoverWatch> logger) : BackgroundService
{
    /// <summary>How often it looks, and so how long a new primary has to settle at least: what it sees must hold twice.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    // Looks left out after one that could not begin a pass (jobs are paused, a run is under way, no lease): enough not to fill the results with refusals.
    private const int PauseAfterRefusal = 5;

    private string? seen;
    private string? asked;
    private int pause;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, timeProvider);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                logger.FailoverPassNotBegun(exception);
            }
        }
    }

    /// <summary>Looks once.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        // A primary that the last pass did not sweep. One that is down is none: it is not there to be swept.
        var swept = passes.Value?.ServerRunId?.Split(IndexReconciliationSnapshot.RunIdSeparator);
        string[] unswept = swept is null
            ? []
            : [.. (probes.Value?.Nodes ?? []).Where(node => node.Role == "master").Select(node => node.RunId).OfType<string>().Except(swept, StringComparer.Ordinal)];
        var changed = unswept.Length > 0;
        var current = string.Join(IndexReconciliationSnapshot.RunIdSeparator, unswept.Order(StringComparer.Ordinal));
        var settled = changed && seen == current;
        seen = changed ? current : null;
        // Once a server: a probe may be older than the pass, and must not ask again and again.
        if (!settled || asked == current || pause-- > 0)
        {
            return;
        }

        pause = PauseAfterRefusal;
        if (await reconcile(cancellationToken))
        {
            (asked, pause) = (current, 0);
            logger.ReconcilesAfterFailover();
        }
    }
}
