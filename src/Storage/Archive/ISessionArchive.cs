using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Archive;

/// <summary>
/// The durable copy of sessions: what brings them back when Redis has lost them, and what keeps an ended one from coming back. A write has been
/// committed when its task completes. Every method throws <see cref="StorageUnavailableException"/> when the archive does not answer in time; a
/// caller that must decide without an answer denies.
/// </summary>
/// <remarks>
/// The archive is the authority on generations: Redis's is restored from here and never the other way round, except that a higher one of Redis
/// raises the archive's. All writes about one user happen one after another.
/// </remarks>
public interface ISessionArchive
{
    /// <summary>A user's generation, in microseconds since 1970; null if the archive knows nothing of the user.</summary>
    Task<long?> GetGenerationAsync(UserReference user, CancellationToken cancellationToken);

    /// <summary>A live session: not ended, not expired, of the user's generation. Null otherwise.</summary>
    Task<Session?> FindAsync(UserReference user, SessionId id, CancellationToken cancellationToken);

    /// <summary>A user's live sessions, in no order.</summary>
    Task<IReadOnlyList<Session>> ListAsync(UserReference user, CancellationToken cancellationToken);

    /// <summary>Writes a new session down, and ends those that had to leave for it. A higher generation than the archive's raises it.</summary>
    /// <returns>False: it has been revoked before it arrived, alone or with all others. It is not live here and must not be in Redis.</returns>
    Task<bool> AddAsync(Session session, IReadOnlyCollection<SessionId> evicted, CancellationToken cancellationToken);

    /// <summary>Before a rotation: from now on the old id does not come back. Repeating it changes nothing.</summary>
    /// <param name="user">The user.</param>
    /// <param name="old">The id that will be replaced.</param>
    /// <param name="grace">How long a revocation of the old id is one of its successor.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task BeginRotationAsync(UserReference user, SessionId old, TimeSpan grace, CancellationToken cancellationToken);

    /// <summary>After a rotation: writes the session under its new id down, and which old one it replaces, also one that is not known here.</summary>
    /// <param name="old">The id that was replaced.</param>
    /// <param name="rotated">The session under its new id.</param>
    /// <param name="grace">How long, from now, a revocation of the old id is one of the new.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False: one of both ids has been revoked meanwhile, alone or with all others. The new one is not live here and must not be in Redis.</returns>
    Task<bool> CompleteRotationAsync(SessionId old, Session rotated, TimeSpan grace, CancellationToken cancellationToken);

    /// <summary>Ends one session, also one that the archive has not heard of yet. An id that was rotated within its grace is followed.</summary>
    /// <param name="user">The user.</param>
    /// <param name="id">The session.</param>
    /// <param name="keep">How long an unknown id is remembered: the longest possible life of a session.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<ArchivedRevocation> RevokeAsync(UserReference user, SessionId id, TimeSpan keep, CancellationToken cancellationToken);

    /// <summary>Ends every session of a user but one, by a new generation.</summary>
    /// <param name="user">The user.</param>
    /// <param name="above">Redis's generation, or 0; the new one is larger.</param>
    /// <param name="except">A session that lives on, with the new generation.</param>
    /// <param name="keep">How long the generation is remembered at least: the longest possible life of a session.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The new generation.</returns>
    Task<long> RevokeAllAsync(UserReference user, long above, SessionId? except, TimeSpan keep, CancellationToken cancellationToken);

    /// <summary>Raises a user's generation to one that Redis already has; every session but one that carries a lower one is ended by that.</summary>
    Task AdvanceGenerationAsync(UserReference user, long generation, SessionId? except, TimeSpan keep, CancellationToken cancellationToken);

    /// <summary>Notes when sessions were last seen. An ended or unknown one stays as it is, and so does one that another writer holds.</summary>
    Task TouchAsync(IReadOnlyCollection<SessionTouch> touches, CancellationToken cancellationToken);

    /// <summary>What has ended since a time, by the archive's clock: new generations first, then single sessions, in the order in which they ended. For a Redis that is older. A session
    /// whose rotation has begun and is not known to have happened is not among them: it may live on.</summary>
    IAsyncEnumerable<ArchiveChange> ChangesSinceAsync(DateTimeOffset since, CancellationToken cancellationToken);

    /// <summary>Removes what is remembered of a user's sessions but that they ended.</summary>
    /// <returns>Sessions erased.</returns>
    Task<int> EraseAsync(UserReference user, TimeSpan keep, CancellationToken cancellationToken);

    /// <summary>Sessions of which <see cref="ForgetAsync"/> would forget something.</summary>
    Task<long> CountForgettableAsync(TimeSpan detailsLife, CancellationToken cancellationToken);

    /// <summary>
    /// Forgets of some sessions what is no longer needed: address and user agent once the log-in is longer ago than their life, and everything but its
    /// end of one that ended more than an hour ago. Callers at the same time never wait for one another.
    /// </summary>
    /// <param name="detailsLife">As <see cref="SessionOptions.ClientDetailsLife"/>.</param>
    /// <param name="atMost">Sessions at most.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Sessions changed; 0 when no more were free.</returns>
    Task<int> ForgetAsync(TimeSpan detailsLife, int atMost, CancellationToken cancellationToken);

    /// <summary>Rows whose time is over.</summary>
    Task<long> CountExpiredAsync(CancellationToken cancellationToken);

    /// <summary>Deletes some rows whose time is over. Callers at the same time never wait for one another, and never delete a row twice.</summary>
    /// <returns>Rows deleted; fewer than asked for when no more were free.</returns>
    Task<int> DeleteExpiredAsync(int atMost, CancellationToken cancellationToken);
}

/// <summary>What a revocation of one session ended.</summary>
/// <param name="Ids">The id, and those that replaced it within their grace.</param>
/// <param name="WasLive">Whether one of them was live.</param>
public sealed record ArchivedRevocation(IReadOnlyList<SessionId> Ids, bool WasLive);

/// <summary>When a session was last seen, and when it expires by that.</summary>
public readonly record struct SessionTouch(UserReference User, SessionId Id, DateTimeOffset LastSeenAt, DateTimeOffset ExpiresAt);

/// <summary>A user's generation, or the end of one session.</summary>
/// <param name="User">The user.</param>
/// <param name="Generation">The generation since this change; null if the change is the end of one session.</param>
/// <param name="Ended">The session that ended; default if the change is a generation.</param>
/// <param name="Successor">The id that has replaced it; null if it was revoked.</param>
public readonly record struct ArchiveChange(UserReference User, long? Generation, SessionId Ended, SessionId? Successor = null);
