using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Demo;

/// <summary>Runs one job at full speed and gives back its result.</summary>
internal delegate Task<JobResult> RunJob(string job, bool dryRun, CancellationToken cancellationToken);

/// <summary>
/// Lets the jobs find and mend what was planted. Everything that it counts comes from the jobs' results, that is, from what the repair scripts
/// confirmed on the server; the plan is only laid beside it.
/// </summary>
internal sealed class DemoRun(RunJob runJob, ISessionStore store, IRefreshTokenStore families)
{
    private static readonly string[] TokenTtlKinds =
    [
        .. ((StateKind[])
        [
            StateKind.RefreshToken, StateKind.RefreshTokenIndex, StateKind.TwoFactorChallenge, StateKind.TwoFactorUser, StateKind.PasswordReset,
            StateKind.DenylistEntry, StateKind.SessionActivity, StateKind.UserStats,
        ]).Select(kind => kind.Label()),
    ];

    private static readonly string[] SessionTtlKinds =
        [.. ((StateKind[])[StateKind.Session, StateKind.SessionIndex, StateKind.Generation, StateKind.RateLimit]).Select(kind => kind.Label())];

    // Which counts of which job tell of which damage, found and mended.
    private static readonly Source[] Sources =
    [
        new(DemoDamage.ExpiredMembers, JobNames.SessionCleanup, [DriftCounts.ExpiredMembers]),
        new(DemoDamage.MissingTtl, JobNames.SessionCleanup, Named("ttl_missing_", SessionTtlKinds), Named("ttl_repaired_", SessionTtlKinds)),
        new(DemoDamage.DeletedSessions, JobNames.IndexReconciliation, ["drift_dangling"]),
        new(DemoDamage.MissingSessions, JobNames.IndexReconciliation, ["drift_missing"]),
        new(DemoDamage.LostIndexes, JobNames.IndexReconciliation, ["indexes_rebuilt"]),
        new(DemoDamage.RevokedSessions, JobNames.IndexReconciliation, ["drift_revoked"]),
        new(DemoDamage.WrongExpiry, JobNames.IndexReconciliation, ["drift_wrong_expiry"]),
        new(DemoDamage.ExpiredTokenMembers, JobNames.SessionCleanup, OfTokens(DriftCounts.Expired)),
        new(DemoDamage.MissingTokenTtl, JobNames.SessionCleanup, Named("ttl_missing_", TokenTtlKinds), Named("ttl_repaired_", TokenTtlKinds)),
        new(DemoDamage.DeletedTokens, JobNames.IndexReconciliation, OfTokens(keyspace => DriftCounts.Name("dangling", keyspace))),
        new(DemoDamage.OrphanedTokens, JobNames.IndexReconciliation, OfTokens(keyspace => DriftCounts.Name("revoked", keyspace))),
        new(DemoDamage.WrongTokenExpiry, JobNames.IndexReconciliation, OfTokens(keyspace => DriftCounts.Name("wrong_expiry", keyspace))),
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

            Collect(outcome.Repaired, await RunAsync(outcome, job, dryRun: false, cancellationToken), source => source.Repaired ?? source.Found);
        }

        foreach (var job in Sources.Select(source => source.Job).Distinct())
        {
            progress?.Report($"{job}: second pass");
            Collect(outcome.SecondPass, await RunAsync(outcome, job, dryRun: false, cancellationToken), source => source.Found);
        }

        progress?.Report("asking every session whether it is valid");
        outcome.LiveSessionsLost = plan.Live.Count - await CountValidAsync(plan.Live, cancellationToken);
        outcome.RevokedSessionsAlive = await CountValidAsync(plan.Dead, cancellationToken);
        outcome.LiveTokensLost = plan.LiveFamilies.Count - await CountRotatingAsync(plan.LiveFamilies, cancellationToken);
        outcome.DeadTokensAlive = await CountRotatingAsync(plan.DeadFamilies, cancellationToken);
        return outcome;
    }

    private async Task<JobResult> RunAsync(DemoOutcome outcome, string job, bool dryRun, CancellationToken cancellationToken)
    {
        var result = await runJob(job, dryRun, cancellationToken);
        outcome.Results.Add(result);
        return result;
    }

    private static void Collect(SortedDictionary<DemoDamage, long> into, JobResult result, Func<Source, string[]> counts)
    {
        foreach (var source in Sources.Where(source => source.Job == result.Job))
        {
            into[source.Damage] = counts(source).Sum(count => result.Counts.GetValueOrDefault(count));
        }
    }

    private static string[] Named(string head, string[] kinds) => [.. kinds.Select(kind => head + kind)];

    private static string[] OfTokens(Func<string, string> count) => [.. TokenKind.All.Select(kind => count(kind.Keyspace))];

    private Task<int> CountRotatingAsync(List<RefreshToken> tokens, CancellationToken cancellationToken) => CountAsync(
        tokens, async (token, stop) => (await families.RotateAsync(token.Value, stop)).Outcome == RefreshOutcome.Rotated, cancellationToken);

    private Task<int> CountValidAsync(List<SessionToken> tokens, CancellationToken cancellationToken) =>
        CountAsync(tokens, async (token, stop) => (await store.ValidateAsync(token.Value, stop)).IsValid, cancellationToken);

    private static async Task<int> CountAsync<T>(List<T> tokens, Func<T, CancellationToken, Task<bool>> counts, CancellationToken cancellationToken)
    {
        var count = 0;
        await Parallel.ForEachAsync(
            tokens,
            new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken },
            async (token, stop) =>
            {
                if (await counts(token, stop))
                {
                    Interlocked.Increment(ref count);
                }
            });
        return count;
    }

    /// <param name="Damage">The damage.</param>
    /// <param name="Job">The job that finds it.</param>
    /// <param name="Found">Its counts that tell how much, together.</param>
    /// <param name="Repaired">Those that tell how much was mended, where they are others.</param>
    private sealed record Source(DemoDamage Damage, string Job, string[] Found, string[]? Repaired = null);
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

    /// <summary>Refresh tokens that had to rotate and did not.</summary>
    public int LiveTokensLost { get; set; }

    /// <summary>Refresh tokens that had to be dead and rotated.</summary>
    public int DeadTokensAlive { get; set; }

    /// <summary>Whether all that was planted was found and mended, nothing was left, and no session was wronged.</summary>
    public bool Agrees(DemoPlan plan) =>
        LiveSessionsLost == 0
        && RevokedSessionsAlive == 0
        && LiveTokensLost == 0
        && DeadTokensAlive == 0
        && Results.TrueForAll(result => result.Outcome == JobOutcome.Success)
        && plan.Planted.All(planted =>
            Found.GetValueOrDefault(planted.Key) == planted.Value
            && Repaired.GetValueOrDefault(planted.Key) == planted.Value
            && SecondPass.GetValueOrDefault(planted.Key) == 0);
}
