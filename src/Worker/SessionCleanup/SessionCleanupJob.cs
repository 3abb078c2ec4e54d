using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Storage.Tokens;
using Maintenance.Storage.Tokens.Repair;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.SessionCleanup;

/// <summary>
/// Walks over the keyspace once. Drops the members of each index whose time is over, and gives each of our keys without a TTL the one that it should
/// have, or removes it by policy. Takes address and user agent out of sessions when their time is over. Writes only what a full Redis allows too (ZREM, DEL, PEXPIREAT), except where a living member's score is wrong.
/// After that, rows of the archive whose time is over are deleted, if there is an archive.
/// </summary>
/// <remarks>
/// The brake counts keys. Members are not counted: they are dropped only when their time is over and their session is gone, so that however many
/// there are (the worker was off for a week), none is worth keeping.
/// </remarks>
public sealed class SessionCleanupJob(
    RedisConnection connection, RedisKeys keys, SessionRepair repair, TokenRepair tokens, IOptionsMonitor<SessionCleanupOptions> options, SweepMetrics metrics,
    ArchiveCleanup? archive = null) : IMaintenanceJob
{
    // A script blocks Redis while it looks at them.
    private const int MembersPerScript = 200;

    /// <inheritdoc/>
    public string Name => JobNames.SessionCleanup;

    /// <inheritdoc/>
    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        try
        {
            await SweepAsync(context, cancellationToken);
        }
        finally
        {
            // Last, because a first run over millions of rows takes long; and also when Redis was away or the brake held, because it needs neither.
            if (archive is not null && !cancellationToken.IsCancellationRequested)
            {
                await archive.RunAsync(context, cancellationToken);
            }
        }
    }

    private async Task SweepAsync(JobContext context, CancellationToken cancellationToken)
    {
        var settings = options.CurrentValue;
        var sessions = 0L;
        string? otherPrefix = null;
        await EachPrimary.RunAsync(
            connection,
            context,
            async primary =>
            {
                var (found, other) = await CleanAsync(primary, settings, context, cancellationToken);
                sessions += found;
                otherPrefix ??= other;
            },
            cancellationToken);
        KeyspaceScan.WarnOfAnotherPrefix(context, keys, sessions, otherPrefix);
    }

    private async Task<(long Sessions, string? OtherPrefix)> CleanAsync(
        RedisPrimary primary, SessionCleanupOptions settings, JobContext context, CancellationToken cancellationToken)
    {
        var total = await ServerIdentity.KeyCountAsync(primary.Connection, context.Report, cancellationToken);
        var ttls = new TtlRepair(repair, context, settings, metrics) { CacheIsOurs = keys.Prefix.Length > 0 };
        var scan = new KeyspaceScan(primary.Connection, keys, context);
        var (sessions, ours) = (0L, 0L);
        var (scanned, foreign) = (0L, 0L);
        await foreach (var page in scan.PagesAsync(cancellationToken))
        {
            metrics.Scanned(scan.Scanned - scanned);
            context.Report.Add("keys_scanned", scan.Scanned - scanned);
            context.Report.Add("foreign_keys", scan.Foreign - foreign);
            (scanned, foreign) = (scan.Scanned, scan.Foreign);
            sessions += page.Count(key => key.Parsed.Kind == StateKind.Session);

            // The worker's own keys are bounded by those who write them, and data-protection keys are meant to stay.
            var cleaned = page.Where(key => key.Parsed.Kind is not (StateKind.Maintenance or StateKind.DataProtection)).ToList();
            var candidates = new CleanupCandidates(connection, repair, context);
            await candidates.ReadAsync(cleaned, cancellationToken);
            // Not DBSIZE: of a Redis that is shared, most of it may be other programs', and a share of that may be all that is ours.
            ours += cleaned.Count(key => ttls.IsOurs(key.Parsed.Kind));
            context.Report.Add("foreign_values", candidates.Foreign);

            // Members first: an index without a TTL gets one from the scores that are left.
            await DropExpiredAsync(context, candidates.ExpiredIndexes, cancellationToken);
            await ttls.MendAsync(candidates.WithoutTtl, ours, cancellationToken);
            await StripDetailsAsync(context, candidates.OldDetails, cancellationToken);
            context.Progress?.Report(new JobProgress("scan", scan.Scanned, total));
        }

        return (sessions, scan.OtherPrefix);
    }

    private async Task DropExpiredAsync(JobContext context, List<ScannedKey> indexes, CancellationToken cancellationToken)
    {
        // A long index takes several rounds; those that stay (a full Redis refused) are passed over in the next.
        var round = indexes.ConvertAll(index => (Index: index.Parsed, Skip: 0));
        while (round.Count > 0)
        {
            var next = new List<(ParsedKey Index, int Skip)>();
            await PacedBatches.ForEachAsync(
                context,
                round,
                item => TokenKind.OfIndex(item.Index.Kind) is { } kind
                    ? tokens.DropExpiredMembersAsync(kind, item.Index.User, MembersPerScript, item.Skip, context.DryRun, cancellationToken)
                    : repair.DropExpiredMembersAsync(item.Index.User, MembersPerScript, item.Skip, context.DryRun, cancellationToken),
                (item, found) =>
                {
                    Count(context, TokenKind.OfIndex(item.Index.Kind)?.Keyspace ?? SweepMetrics.Native, found);
                    if (found.LookedAt == MembersPerScript)
                    {
                        next.Add((item.Index, item.Skip + (context.DryRun ? found.LookedAt : found.LookedAt - found.Dropped - found.Mended)));
                    }
                },
                "expired members of an index",
                cancellationToken);
            round = next;
        }
    }

    // Not drift: their time comes by itself, and no brake counts it, because no key is removed.
    private Task StripDetailsAsync(JobContext context, List<ScannedKey> sessions, CancellationToken cancellationToken) => PacedBatches.ForEachAsync(
        context,
        sessions,
        key => repair.StripDetailsAsync(key.Parsed.User, key.Parsed.Id, context.DryRun, cancellationToken),
        (_, stripped) => context.Report.Add("client_details_removed", stripped ? 1 : 0),
        "address and user agent of a session",
        cancellationToken);

    private void Count(JobContext context, string keyspace, ExpiredMembers found)
    {
        context.Report.Add(DriftCounts.Expired(keyspace), found.Dropped);
        context.Report.Add(DriftCounts.WrongScoresOf(keyspace), found.Mended);
        if (!context.DryRun)
        {
            metrics.IndexRepaired("expired", keyspace, found.Dropped);
            metrics.IndexRepaired("wrong_expiry", keyspace, found.Mended);
        }
    }
}
