using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.SessionCleanup;

/// <summary>
/// Walks over the keyspace once. Drops the members of each index whose time is over, and gives each of our keys without a TTL the one that it should
/// have, or removes it by policy. Writes only what a full Redis allows too (ZREM, DEL, PEXPIREAT), except where a living member's score is wrong.
/// </summary>
/// <remarks>
/// The brake counts keys. Members are not counted: they are dropped only when their time is over and their session is gone, so that however many
/// there are (the worker was off for a week), none is worth keeping.
/// </remarks>
public sealed class SessionCleanupJob(
    RedisConnection connection, RedisKeys keys, SessionRepair repair, IOptionsMonitor<SessionCleanupOptions> options, SweepMetrics metrics) : IMaintenanceJob
{
    // A script blocks Redis while it looks at them.
    private const int MembersPerScript = 200;

    /// <inheritdoc/>
    public string Name => JobNames.SessionCleanup;

    /// <inheritdoc/>
    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var settings = options.CurrentValue;
        var total = await ServerIdentity.KeyCountAsync(connection, context.Report, cancellationToken);
        var ttls = new TtlRepair(repair, context, settings, metrics) { CacheIsOurs = keys.Prefix.Length > 0 };
        var scan = new KeyspaceScan(connection, keys, context);
        var sessions = 0L;
        var (scanned, foreign) = (0L, 0L);
        await foreach (var page in scan.PagesAsync(cancellationToken))
        {
            metrics.Scanned(scan.Scanned - scanned);
            context.Report.Add("keys_scanned", scan.Scanned - scanned);
            context.Report.Add("foreign_keys", scan.Foreign - foreign);
            (scanned, foreign) = (scan.Scanned, scan.Foreign);
            sessions += page.Count(key => key.Parsed.Kind == StateKind.Session);

            // The worker's own keys are bounded by those who write them, and data-protection keys are meant to stay.
            var candidates = new CleanupCandidates(connection, context);
            await candidates.ReadAsync(page.Where(key => key.Parsed.Kind is not (StateKind.Maintenance or StateKind.DataProtection)), cancellationToken);
            context.Report.Add("foreign_values", candidates.Foreign);

            // Members first: an index without a TTL gets one from the scores that are left.
            await DropExpiredAsync(context, candidates.ExpiredIndexes, cancellationToken);
            await ttls.MendAsync(candidates.WithoutTtl, Math.Max(total ?? 0, scan.Scanned), cancellationToken);
            context.Progress?.Report(new JobProgress("scan", scan.Scanned, total));
        }

        scan.WarnOfAnotherPrefix(sessions);
    }

    private async Task DropExpiredAsync(JobContext context, List<UserReference> users, CancellationToken cancellationToken)
    {
        // A long index takes several rounds; those that stay (a full Redis refused) are passed over in the next.
        var round = users.ConvertAll(user => (User: user, Skip: 0));
        while (round.Count > 0)
        {
            var next = new List<(UserReference User, int Skip)>();
            await PacedBatches.ForEachAsync(
                context,
                round,
                index => repair.DropExpiredMembersAsync(index.User, MembersPerScript, index.Skip, context.DryRun, cancellationToken),
                (index, found) =>
                {
                    Count(context, found);
                    if (found.LookedAt == MembersPerScript)
                    {
                        next.Add((index.User, index.Skip + (context.DryRun ? found.LookedAt : found.LookedAt - found.Dropped - found.Mended)));
                    }
                },
                "expired members of an index",
                cancellationToken);
            round = next;
        }
    }

    private void Count(JobContext context, ExpiredMembers found)
    {
        context.Report.Add(DriftCounts.ExpiredMembers, found.Dropped);
        context.Report.Add(DriftCounts.WrongScores, found.Mended);
        if (!context.DryRun)
        {
            metrics.IndexRepaired("expired", found.Dropped);
            metrics.IndexRepaired("wrong_expiry", found.Mended);
        }
    }
}
