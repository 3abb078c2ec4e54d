using Maintenance.Storage.Sessions;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Demo;

/// <summary>Runs one job at full speed and gives back its result.</summary>
internal delegate Task<JobResult> RunJob(string job, bool dryRun, CancellationToken cancellationToken);

/// <summary>
/// Lets the jobs find and mend what was planted. Everything that it counts comes from the jobs' results, that is, from what the repair scripts
/// confirmed on the server; the plan is only laid beside it.
/// </summary>
internal sealed class DemoRun(RunJob runJob, ISessionStore store)
{
    // Which count of which job tells of which damage.
    private static readonly (DemoDamage Damage, string Job, string Found, string Mended)[] Sources =
    [
        (DemoDamage.ExpiredMembers, JobNames.SessionCleanup, "expired_members_removed", "expired_members_removed"),
        (DemoDamage.MissingTtl, JobNames.SessionCleanup, "ttl_missing", "ttl_repaired"),
        (DemoDamage.DeletedSessions, JobNames.IndexReconciliation, "drift_dangling", "drift_dangling"),
        (DemoDamage.MissingSessions, JobNames.IndexReconciliation, "drift_missing", "drift_missing"),
        (DemoDamage.LostIndexes, JobNames.IndexReconciliation, "indexes_rebuilt", "indexes_rebuilt"),
        (DemoDamage.RevokedSessions, JobNames.IndexReconciliation, "drift_revoked", "drift_revoked"),
        (DemoDamage.WrongExpiry, JobNames.IndexReconciliation, "drift_wrong_expiry", "drift_wrong_expiry"),
    ];

    /// <summary>Looks first (dry run), then mends, then looks again; at the end asks every planted token whether it is valid.</summary>
    public async Task<DemoOutcome> RunAsync(DemoPlan plan, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var outcome = new DemoOutcome();
        foreach (var job in JobNames.All)
        {
            var mends = Sources.Any(source => source.Job == job);
            if (mends)
            {
                progress?.Report($"{job}: looking");
                Collect(outcome.Found, await RunAsync(outcome, job, dryRun: true, cancellationToken), source => source.Found);
                progress?.Report($"{job}: mending");
            }
            else
            {
                progress?.Report(job);
            }

            Collect(outcome.Repaired, await RunAsync(outcome, job, dryRun: false, cancellationToken), source => source.Mended);
        }

        foreach (var job in Sources.Select(source => source.Job).Distinct())
        {
            progress?.Report($"{job}: second pass");
            Collect(outcome.SecondPass, await RunAsync(outcome, job, dryRun: false, cancellationToken), source => source.Found);
        }

        progress?.Report("asking every session whether it is valid");
        outcome.LiveSessionsLost = plan.Live.Count - await CountValidAsync(plan.Live, cancellationToken);
        outcome.RevokedSessionsAlive = await CountValidAsync(plan.Dead, cancellationToken);
        return outcome;
    }

    private async Task<JobResult> RunAsync(DemoOutcome outcome, string job, bool dryRun, CancellationToken cancellationToken)
    {
        var result = await runJob(job, dryRun, cancellationToken);
        outcome.Results.Add(result);
        return result;
    }

    private static void Collect(
        SortedDictionary<DemoDamage, long> into, JobResult result, Func<(DemoDamage Damage, string Job, string Found, string Mended), string> count)
    {
        foreach (var source in Sources.Where(source => source.Job == result.Job))
        {
            into[source.Damage] = result.Counts.GetValueOrDefault(count(source));
        }
    }

    private async Task<int> CountValidAsync(List<SessionToken> tokens, CancellationToken cancellationToken)
    {
        var valid = 0;
        await Parallel.ForEachAsync(
            tokens,
            new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken },
            async (token, stop) =>
            {
                if ((await store.ValidateAsync(token.Value, stop)).IsValid)
                {
                    Interlocked.Increment(ref valid);
                }
            });
        return valid;
    }
}

/// <summary>What the jobs said, and what was true afterwards.</summary>
internal sealed class DemoOutcome
{
    /// <summary>Found by the dry runs.</summary>
    public SortedDictionary<DemoDamage, long> Found { get; } = [];

    /// <summary>Mended by the runs after them.</summary>
    public SortedDictionary<DemoDamage, long> Repaired { get; } = [];

    /// <summary>Found by a second pass.</summary>
    public SortedDictionary<DemoDamage, long> SecondPass { get; } = [];

    /// <summary>Every run, in order.</summary>
    public List<JobResult> Results { get; } = [];

    /// <summary>Sessions that had to live and do not validate.</summary>
    public int LiveSessionsLost { get; set; }

    /// <summary>Sessions that had to be dead and validate.</summary>
    public int RevokedSessionsAlive { get; set; }

    /// <summary>Whether all that was planted was found and mended, nothing was left, and no session was wronged.</summary>
    public bool Agrees(DemoPlan plan) =>
        LiveSessionsLost == 0
        && RevokedSessionsAlive == 0
        && Results.TrueForAll(result => result.Outcome == JobOutcome.Success)
        && plan.Planted.All(planted =>
            Found.GetValueOrDefault(planted.Key) == planted.Value
            && Repaired.GetValueOrDefault(planted.Key) == planted.Value
            && SecondPass.GetValueOrDefault(planted.Key) == 0);
}
