using System.Runtime.CompilerServices;
using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.EntityFrameworkCore;

namespace Maintenance.Archive;

/// <content>What is not about one request: replay, erasure, cleanup.</content>
public sealed partial class PostgresSessionArchive
{
    private const int PageRows = 1000;

    /// <inheritdoc/>
    public async IAsyncEnumerable<ArchiveChange> ChangesSinceAsync(DateTimeOffset since, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var from = since.ToUniversalTime();
        await foreach (var row in PagesAsync(
            (context, at, last) => context.Database.SqlQuery<ChangeRow>(
                $"""
                SELECT changed_at AS "At", user_ref AS "UserRef", generation AS "Generation", '' AS "Sid", NULL AS "Successor" FROM archive_users
                WHERE (changed_at, user_ref) > ({at}, {last.UserRef}) ORDER BY changed_at, user_ref LIMIT {PageRows}
                """),
            from,
            cancellationToken).ConfigureAwait(false))
        {
            if (UserReference.TryParse(row.UserRef, out var user))
            {
                yield return new ArchiveChange(user, row.Generation, default);
            }
        }

        await foreach (var row in PagesAsync(
            (context, at, last) => context.Database.SqlQuery<ChangeRow>(
                $"""
                SELECT ended_at AS "At", user_ref AS "UserRef", generation AS "Generation", sid AS "Sid",
                    CASE WHEN NOT revoked THEN successor END AS "Successor" FROM archive_sessions
                WHERE ended_at IS NOT NULL AND (revoked OR successor IS NOT NULL) AND (ended_at, user_ref, sid) > ({at}, {last.UserRef}, {last.Sid})
                ORDER BY ended_at, user_ref, sid LIMIT {PageRows}
                """),
            from,
            cancellationToken).ConfigureAwait(false))
        {
            if (UserReference.TryParse(row.UserRef, out var user) && SessionId.TryParse(row.Sid, out var id))
            {
                yield return new ArchiveChange(user, null, id, SessionId.TryParse(row.Successor, out var next) ? next : null);
            }
        }
    }

    /// <inheritdoc/>
    public Task<int> EraseAsync(UserReference user, TimeSpan keep, CancellationToken cancellationToken) => database.CallAsync(
        (context, token) => context.Database.ExecuteSqlAsync(
            $"""
            UPDATE archive_sessions SET record = NULL, details_since = NULL, last_seen_at = NULL, expires_at = NULL, absolute_expires_at = NULL,
                ended_at = COALESCE(ended_at, now()), revoked = true, keep_until = GREATEST(keep_until, absolute_expires_at, now() + {keep})
            WHERE user_ref = {user.Value} AND record IS NOT NULL
            """,
            token),
        cancellationToken);

    /// <inheritdoc/>
    public Task<long> CountForgettableAsync(TimeSpan detailsLife, CancellationToken cancellationToken) => database.CallAsync(
        async (context, token) => (await context.Database.SqlQuery<long>(
            $"""
            SELECT (SELECT count(*) FROM archive_sessions WHERE details_since < now() - {detailsLife})
                + (SELECT count(*) FROM archive_sessions WHERE ended_at < now() - {Margin} AND record IS NOT NULL AND NOT COALESCE(details_since < now() - {detailsLife}, false)) AS "Value"
            """).ToListAsync(token).ConfigureAwait(false))[0],
        cancellationToken);

    /// <inheritdoc/>
    public Task<int> ForgetAsync(TimeSpan detailsLife, int atMost, CancellationToken cancellationToken) => database.TransactAsync(
        async (context, token) =>
        {
            var forgotten = await context.Database.ExecuteSqlAsync(
                $"""
                UPDATE archive_sessions SET record = NULL, details_since = NULL WHERE (user_ref, sid) IN (
                    SELECT user_ref, sid FROM archive_sessions WHERE ended_at < now() - {Margin} AND record IS NOT NULL
                    LIMIT {atMost} FOR UPDATE SKIP LOCKED)
                """,
                token).ConfigureAwait(false);
            var old = await context.Database.SqlQuery<DetailsRow>(
                $"""
                SELECT user_ref AS "UserRef", sid AS "Sid", record AS "Record" FROM archive_sessions WHERE details_since < now() - {detailsLife}
                LIMIT {atMost - forgotten} FOR UPDATE SKIP LOCKED
                """).ToListAsync(token).ConfigureAwait(false);
            foreach (var row in old)
            {
                // What this version cannot read is left to one that can: asked for once.
                var stripped = WithoutDetails(row);
                await context.Database.ExecuteSqlAsync(
                    $"""
                    UPDATE archive_sessions SET record = {stripped ?? row.Record}, details_since = CASE WHEN {stripped is null} THEN 'infinity'::timestamptz END
                    WHERE user_ref = {row.UserRef} AND sid = {row.Sid}
                    """,
                    token).ConfigureAwait(false);
            }

            return forgotten + old.Count;
        },
        cancellationToken);

    private static byte[]? WithoutDetails(DetailsRow row) =>
        SessionId.TryParse(row.Sid, out var id)
        && SessionRecordFormat.Classify(row.Record, SessionRecordFormat.Newest, out _) == RecordKind.Session
        && SessionRecordFormat.Decode(id, row.Record) is { } session
            ? SessionRecordFormat.Encode(session with { IpAddress = null, UserAgent = null }, SessionRecordFormat.Newest)
            : null;

    /// <inheritdoc/>
    public Task<long> CountExpiredAsync(CancellationToken cancellationToken) => database.CallAsync(
        async (context, token) => (await context.Database.SqlQuery<long>(
            $"""
            SELECT (SELECT count(*) FROM archive_sessions WHERE keep_until < now()) + (SELECT count(*) FROM archive_users WHERE keep_until < now()) AS "Value"
            """).ToListAsync(token).ConfigureAwait(false))[0],
        cancellationToken);

    /// <inheritdoc/>
    public Task<int> DeleteExpiredAsync(int atMost, CancellationToken cancellationToken) => database.CallAsync(
        async (context, token) =>
        {
            var deleted = await context.Database.ExecuteSqlAsync(
                $"""
                DELETE FROM archive_sessions WHERE (user_ref, sid) IN (
                    SELECT user_ref, sid FROM archive_sessions WHERE keep_until < now() ORDER BY keep_until LIMIT {atMost} FOR UPDATE SKIP LOCKED)
                """,
                token).ConfigureAwait(false);
            if (deleted < atMost)
            {
                deleted += await context.Database.ExecuteSqlAsync(
                    $"""
                    DELETE FROM archive_users WHERE user_ref IN (
                        SELECT user_ref FROM archive_users WHERE keep_until < now() ORDER BY keep_until LIMIT {atMost - deleted} FOR UPDATE SKIP LOCKED)
                    """,
                    token).ConfigureAwait(false);
            }

            return deleted;
        },
        cancellationToken);

    private async IAsyncEnumerable<ChangeRow> PagesAsync(
        Func<ArchiveContext, DateTimeOffset, ChangeRow, IQueryable<ChangeRow>> page, DateTimeOffset since, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = new ChangeRow(since, "", 0, "", null);
        while (true)
        {
            var after = last;
            var rows = await database.CallAsync((context, token) => page(context, after.At, after).ToListAsync(token), cancellationToken).ConfigureAwait(false);
            foreach (var row in rows)
            {
                yield return row;
            }

            if (rows.Count < PageRows)
            {
                yield break;
            }

            last = rows[^1];
        }
    }

    internal sealed record DetailsRow(string UserRef, string Sid, byte[] Record);

    internal sealed record ChangeRow(DateTimeOffset At, string UserRef, long Generation, string Sid, string? Successor);
}
