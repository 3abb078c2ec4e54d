using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.EntityFrameworkCore;

namespace Maintenance.Archive;

/// <summary>
/// The archive on PostgreSQL. What must not run at the same time for one user locks that user's row first, and sessions after it, so that no two
/// writers ever wait for one another in a circle; what writes many users' rows (last accesses, cleanup) skips those that are locked.
/// </summary>
public sealed partial class PostgresSessionArchive : ISessionArchive
{
    // Longer than last accesses lag behind: a session that lives on in Redis must not lose its row.
    private static readonly TimeSpan Margin = TimeSpan.FromHours(1);

    // An id can change again within the grace of the change before; a longer chain than this is damaged data.
    private const int MostAliases = 100;

    private readonly ArchiveDatabase database;

    internal PostgresSessionArchive(ArchiveDatabase database) => this.database = database;

    /// <inheritdoc/>
    public Task<long?> GetGenerationAsync(UserReference user, CancellationToken cancellationToken) => database.CallAsync(
        (context, token) => context.Users.Where(row => row.UserRef == user.Value).Select(row => (long?)row.Generation).FirstOrDefaultAsync(token),
        cancellationToken);

    /// <inheritdoc/>
    public async Task<Session?> FindAsync(UserReference user, SessionId id, CancellationToken cancellationToken)
    {
        var row = await database.CallAsync(
            (context, token) => Live(context, user).Where(row => row.Sid == id.Value).FirstOrDefaultAsync(token), cancellationToken).ConfigureAwait(false);
        return row is null ? null : SessionOf(row);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Session>> ListAsync(UserReference user, CancellationToken cancellationToken)
    {
        var rows = await database.CallAsync((context, token) => Live(context, user).ToListAsync(token), cancellationToken).ConfigureAwait(false);
        return [.. rows.Select(SessionOf).OfType<Session>()];
    }

    /// <inheritdoc/>
    public Task<bool> AddAsync(Session session, IReadOnlyCollection<SessionId> evicted, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(evicted);
        var user = UserReference.Of(session.UserId).Value;
        var ids = evicted.Select(id => id.Value).ToArray();
        return database.TransactAsync(
            async (context, token) =>
            {
                if (await AtGenerationAsync(context, user, session.Generation, session.AbsoluteExpiresAt + Margin, token).ConfigureAwait(false) != session.Generation)
                {
                    return false;
                }

                var added = await InsertAsync(context, user, session, token).ConfigureAwait(false);
                if (ids.Length > 0)
                {
                    await context.Database.ExecuteSqlAsync(
                        $"""
                        UPDATE archive_sessions SET ended_at = now(), revoked = true, keep_until = GREATEST(keep_until, absolute_expires_at)
                        WHERE user_ref = {user} AND sid = ANY({ids}) AND NOT revoked
                        """,
                        token).ConfigureAwait(false);
                }

                return added;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task BeginRotationAsync(UserReference user, SessionId old, TimeSpan grace, CancellationToken cancellationToken) => database.CallAsync(
        (context, token) => context.Database.ExecuteSqlAsync(
            $"""
            UPDATE archive_sessions SET ended_at = now(), alias_until = now() + {grace}, keep_until = GREATEST(keep_until, absolute_expires_at)
            WHERE user_ref = {user.Value} AND sid = {old.Value} AND ended_at IS NULL
            """,
            token),
        cancellationToken);

    /// <inheritdoc/>
    public Task<bool> CompleteRotationAsync(SessionId old, Session rotated, TimeSpan grace, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rotated);
        var user = UserReference.Of(rotated.UserId).Value;
        return database.TransactAsync(
            async (context, token) =>
            {
                if (await AtGenerationAsync(context, user, rotated.Generation, rotated.AbsoluteExpiresAt + Margin, token).ConfigureAwait(false) != rotated.Generation)
                {
                    return false;
                }

                var before = await context.Database.SqlQuery<bool>(
                    $"SELECT revoked FROM archive_sessions WHERE user_ref = {user} AND sid = {old.Value} FOR UPDATE").ToListAsync(token).ConfigureAwait(false);
                if (before is [true] || !await InsertAsync(context, user, rotated, token).ConfigureAwait(false))
                {
                    return false;
                }

                await context.Database.ExecuteSqlAsync(
                    $"""
                    INSERT INTO archive_sessions AS s (user_ref, sid, ended_at, successor, alias_until, keep_until)
                    VALUES ({user}, {old.Value}, now(), {rotated.Id.Value}, now() + {grace}, {rotated.AbsoluteExpiresAt + Margin})
                    ON CONFLICT (user_ref, sid) DO UPDATE SET
                        ended_at = COALESCE(s.ended_at, now()),
                        successor = EXCLUDED.successor,
                        alias_until = GREATEST(s.alias_until, EXCLUDED.alias_until)
                    """,
                    token).ConfigureAwait(false);
                return true;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ArchivedRevocation> RevokeAsync(UserReference user, SessionId id, TimeSpan keep, CancellationToken cancellationToken) => database.TransactAsync(
        async (context, token) =>
        {
            // The user's row first, if there is one: the order in which everything locks.
            await context.Database.ExecuteSqlAsync($"SELECT 1 FROM archive_users WHERE user_ref = {user.Value} FOR UPDATE", token).ConfigureAwait(false);
            List<SessionId> ids = [];
            var wasLive = false;
            for (SessionId? next = id; next is { } current && ids.Count <= MostAliases;)
            {
                ids.Add(current);
                var ended = (await context.Database.SqlQuery<EndedRow>(
                    $"""
                    WITH before AS (
                        SELECT s.ended_at IS NULL AND s.expires_at > now() AND s.generation = u.generation AS live
                        FROM archive_sessions s JOIN archive_users u USING (user_ref)
                        WHERE s.user_ref = {user.Value} AND s.sid = {current.Value}),
                    written AS (
                        INSERT INTO archive_sessions AS s (user_ref, sid, ended_at, revoked, keep_until)
                        VALUES ({user.Value}, {current.Value}, now(), true, now() + {keep})
                        ON CONFLICT (user_ref, sid) DO UPDATE SET
                            ended_at = CASE WHEN s.revoked THEN s.ended_at ELSE now() END,
                            revoked = true,
                            keep_until = GREATEST(s.keep_until, s.absolute_expires_at)
                        RETURNING CASE WHEN alias_until > now() THEN successor END AS successor)
                    SELECT successor AS "Successor", COALESCE((SELECT live FROM before), false) AS "WasLive" FROM written
                    """).ToListAsync(token).ConfigureAwait(false))[0];
                wasLive |= ended.WasLive;
                next = ended.Successor is { } successor ? SessionId.Parse(successor) : null;
            }

            return new ArchivedRevocation(ids, wasLive);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<long> RevokeAllAsync(UserReference user, long above, SessionId? except, TimeSpan keep, CancellationToken cancellationToken) => database.TransactAsync(
        async (context, token) =>
        {
            var generation = (await context.Database.SqlQuery<long>(
                $"""
                INSERT INTO archive_users AS u (user_ref, generation, changed_at, keep_until)
                VALUES ({user.Value}, GREATEST({above} + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), clock_timestamp(), now() + {keep})
                ON CONFLICT (user_ref) DO UPDATE SET
                    generation = GREATEST(u.generation + 1, EXCLUDED.generation),
                    changed_at = EXCLUDED.changed_at,
                    keep_until = GREATEST(u.keep_until, EXCLUDED.keep_until)
                RETURNING generation AS "Value"
                """).ToListAsync(token).ConfigureAwait(false))[0];
            await EndBelowAsync(context, user.Value, generation, except, token).ConfigureAwait(false);
            return generation;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task AdvanceGenerationAsync(UserReference user, long generation, SessionId? except, TimeSpan keep, CancellationToken cancellationToken) => database.TransactAsync(
        async (context, token) =>
        {
            var current = await AtGenerationAsync(context, user.Value, generation, DateTimeOffset.UnixEpoch, token).ConfigureAwait(false);
            await context.Database.ExecuteSqlAsync(
                $"UPDATE archive_users SET keep_until = GREATEST(keep_until, now() + {keep}) WHERE user_ref = {user.Value}", token).ConfigureAwait(false);
            if (current == generation)
            {
                await EndBelowAsync(context, user.Value, generation, except, token).ConfigureAwait(false);
            }

            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task TouchAsync(IReadOnlyCollection<SessionTouch> touches, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(touches);
        var users = touches.Select(touch => touch.User.Value).ToArray();
        var ids = touches.Select(touch => touch.Id.Value).ToArray();
        var seen = touches.Select(touch => touch.LastSeenAt).ToArray();
        var expires = touches.Select(touch => touch.ExpiresAt).ToArray();
        return database.CallAsync(
            (context, token) => context.Database.ExecuteSqlAsync(
                $"""
                UPDATE archive_sessions s SET last_seen_at = t.seen, expires_at = t.expires, keep_until = GREATEST(s.keep_until, t.expires + {Margin})
                FROM unnest({users}, {ids}, {seen}, {expires}) AS t (user_ref, sid, seen, expires),
                    LATERAL (
                        SELECT 1 FROM archive_sessions l
                        WHERE l.user_ref = t.user_ref AND l.sid = t.sid AND l.ended_at IS NULL AND l.last_seen_at < t.seen
                        FOR UPDATE SKIP LOCKED) AS free
                WHERE s.user_ref = t.user_ref AND s.sid = t.sid AND s.ended_at IS NULL
                """,
                token),
            cancellationToken);
    }

    private static IQueryable<SessionRow> Live(ArchiveContext context, UserReference user) => context.Sessions.FromSql(
        $"""
        SELECT s.* FROM archive_sessions s JOIN archive_users u USING (user_ref, generation)
        WHERE s.user_ref = {user.Value} AND s.ended_at IS NULL AND s.expires_at > now()
        """).AsNoTracking();

    private static Session? SessionOf(SessionRow row) =>
        row is { Record: { } record, LastSeenAt: { } seen, ExpiresAt: { } expires }
        && SessionId.TryParse(row.Sid, out var id)
        && SessionRecordFormat.Classify(record, SessionRecordFormat.Newest, out _) == RecordKind.Session
        && SessionRecordFormat.Decode(id, record) is { } session
            ? session with { Generation = row.Generation, LastSeenAt = seen, ExpiresAt = expires }
            : null;

    // Locks the user's row, makes it if there is none, and raises it. Returns the generation since.
    private static async Task<long> AtGenerationAsync(ArchiveContext context, string user, long generation, DateTimeOffset keepUntil, CancellationToken token) =>
        (await context.Database.SqlQuery<long>(
            $"""
            INSERT INTO archive_users AS u (user_ref, generation, changed_at, keep_until) VALUES ({user}, {generation}, clock_timestamp(), {keepUntil})
            ON CONFLICT (user_ref) DO UPDATE SET
                generation = GREATEST(u.generation, EXCLUDED.generation),
                changed_at = CASE WHEN EXCLUDED.generation > u.generation THEN EXCLUDED.changed_at ELSE u.changed_at END,
                keep_until = GREATEST(u.keep_until, EXCLUDED.keep_until)
            RETURNING generation AS "Value"
            """).ToListAsync(token).ConfigureAwait(false))[0];

    private static async Task<bool> InsertAsync(ArchiveContext context, string user, Session session, CancellationToken token)
    {
        var record = SessionRecordFormat.Encode(session, SessionRecordFormat.Newest);
        DateTimeOffset? detailsSince = session is { IpAddress: null, UserAgent: null } ? null : session.CreatedAt;
        return await context.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO archive_sessions (user_ref, sid, generation, record, last_seen_at, expires_at, absolute_expires_at, keep_until, details_since)
            VALUES ({user}, {session.Id.Value}, {session.Generation}, {record}, {session.LastSeenAt}, {session.ExpiresAt}, {session.AbsoluteExpiresAt},
                {session.ExpiresAt + Margin}, {detailsSince})
            ON CONFLICT (user_ref, sid) DO NOTHING
            """,
            token).ConfigureAwait(false) == 1;
    }

    // The kept session moves into the new generation; what is left behind is marked as ended, so that a replay can tell.
    private static async Task EndBelowAsync(ArchiveContext context, string user, long generation, SessionId? except, CancellationToken token)
    {
        string? kept = except is { } id && id != default ? id.Value : null;
        for (var followed = 0; kept is not null && followed <= MostAliases; followed++)
        {
            var moved = await context.Database.ExecuteSqlAsync(
                $"UPDATE archive_sessions SET generation = {generation} WHERE user_ref = {user} AND sid = {kept} AND ended_at IS NULL", token).ConfigureAwait(false);
            kept = moved > 0
                ? null
                : (await context.Database.SqlQuery<string>(
                    $"""
                    SELECT successor AS "Value" FROM archive_sessions
                    WHERE user_ref = {user} AND sid = {kept} AND NOT revoked AND successor IS NOT NULL AND alias_until > now()
                    """).ToListAsync(token).ConfigureAwait(false)).FirstOrDefault();
        }

        await context.Database.ExecuteSqlAsync(
            $"""
            UPDATE archive_sessions SET ended_at = now(), revoked = true, keep_until = GREATEST(keep_until, absolute_expires_at)
            WHERE user_ref = {user} AND generation < {generation} AND ended_at IS NULL
            """,
            token).ConfigureAwait(false);
    }

    internal sealed record EndedRow(string? Successor, bool WasLive);
}
