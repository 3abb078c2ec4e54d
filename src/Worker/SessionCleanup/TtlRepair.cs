using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.SessionCleanup;

/// <summary>Gives keys without a TTL one, or removes them, by policy and under the brake.</summary>
internal sealed class TtlRepair(SessionRepair repair, JobContext context, SessionCleanupOptions settings, SweepMetrics metrics)
{
    private long removed;

    /// <summary>
    /// Whether a key called <c>cache:...</c> can only be ours, because a prefix stands in front of it. Without one any program may have written
    /// it, to be kept for ever; it is counted and left alone.
    /// </summary>
    public bool CacheIsOurs { get; init; }

    private bool LookOnly => context.DryRun || settings.MissingTtl == MissingTtlPolicy.Report;

    /// <summary>Whether every key of the kind is ours for certain.</summary>
    public bool IsOurs(StateKind kind) => CacheIsOurs || kind != StateKind.Cache;

    /// <summary>Mends a page's keys.</summary>
    /// <param name="candidates">Keys that had no TTL a moment ago.</param>
    /// <param name="seen">Keys of ours that the walk has seen so far, these included: what the brake's share is of.</param>
    /// <param name="cancellationToken">Ends the work before the next batch.</param>
    /// <exception cref="BrakeException">Too many would be removed; none of this page was.</exception>
    public async Task MendAsync(List<ScannedKey> candidates, long seen, CancellationToken cancellationToken)
    {
        if (candidates.RemoveAll(key => !IsOurs(key.Parsed.Kind)) is > 0 and var leftAlone)
        {
            context.Report.Add("ttl_missing_unprefixed_cache", leftAlone);
        }

        if (!LookOnly && !context.Brake.Allows(seen, removed + candidates.Count))
        {
            var removals = 0L;
            await RunAsync(candidates, lookOnly: true, (_, verdict) => removals += verdict == MissingTtlVerdict.Removed ? 1 : 0, cancellationToken);
            context.Brake.Check(seen, removed + removals, "keys");
        }

        await RunAsync(candidates, LookOnly, Count, cancellationToken);
    }

    private Task RunAsync(List<ScannedKey> candidates, bool lookOnly, Action<ScannedKey, MissingTtlVerdict> done, CancellationToken cancellationToken) =>
        PacedBatches.ForEachAsync(
            context,
            candidates,
            key => repair.MendMissingTtlAsync(
                key.Name, key.Parsed, settings.Lives.Of(key.Parsed.Kind), settings.MissingTtl == MissingTtlPolicy.Remove, lookOnly, cancellationToken),
            done,
            "missing TTL",
            cancellationToken);

    private void Count(ScannedKey key, MissingTtlVerdict verdict)
    {
        switch (verdict)
        {
            case MissingTtlVerdict.Repaired or MissingTtlVerdict.Removed:
                context.Report.Add(DriftCounts.MissingTtl);
                context.Report.Add(DriftCounts.MissingTtl + "_" + key.Parsed.Kind.Label());
                if (settings.MissingTtl != MissingTtlPolicy.Report)
                {
                    Mended(key.Parsed.Kind, verdict);
                }

                break;
            case MissingTtlVerdict.UnknownVersion:
                context.Report.Add("unknown_version");
                break;
            case MissingTtlVerdict.Foreign:
                context.Report.Add("foreign_values");
                break;
        }
    }

    private void Mended(StateKind kind, MissingTtlVerdict verdict)
    {
        var count = verdict == MissingTtlVerdict.Removed ? "ttl_removed" : "ttl_repaired";
        context.Report.Add(count);
        context.Report.Add($"{count}_{kind.Label()}");
        if (context.DryRun)
        {
            return;
        }

        if (verdict == MissingTtlVerdict.Repaired)
        {
            metrics.TtlRepaired();
            return;
        }

        removed++;
        metrics.Removed(settings.MissingTtl == MissingTtlPolicy.Remove && settings.Lives.Of(kind) > TimeSpan.Zero ? "policy" : "expired");
    }
}
