using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Sessions;

/// <summary>
/// Sessions of users on many devices. Every method throws <see cref="StorageUnavailableException"/> when Redis does not answer within the deadline;
/// a caller that must decide without an answer denies.
/// </summary>
public interface ISessionStore
{
    /// <summary>Logs a user in on one more device.</summary>
    /// <exception cref="ArgumentException">A field is out of its bounds, or the token has been used; nothing was stored.</exception>
    Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken);

    /// <summary>
    /// The user's generation, microseconds: a number that every <see cref="RevokeAllAsync"/> changes, whatever became of the sessions. Null: there is none, or
    /// nobody can say. Who reads it, then what a log-in rests on (that the account is open, the hash of its password), and then creates a session, need not
    /// look again if <see cref="Session.Generation"/> is the same: whoever changed that since, and ended all sessions afterwards, has ended this one. Only a
    /// log-out everywhere that another host wrote down while it had no Redis comes later, and then ends what began up to
    /// <see cref="OutageOptions.ClockTolerance"/> after it: so look again when more than a part of that has passed.
    /// </summary>
    Task<long?> GetGenerationAsync(string userId, CancellationToken cancellationToken);

    /// <summary>Decides whether a token is valid, and renews its session at most once in <see cref="SessionOptions.RenewalInterval"/>.</summary>
    /// <param name="token">What the client sent; anything, null included.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken);

    /// <summary>Reads a live session without renewing it; null if there is none.</summary>
    Task<Session?> GetAsync(string userId, SessionId id, CancellationToken cancellationToken);

    /// <summary>A user's live sessions, most recently seen first.</summary>
    Task<IReadOnlyList<Session>> ListAsync(string userId, CancellationToken cancellationToken);

    /// <summary>How many live sessions a user has.</summary>
    Task<int> CountAsync(string userId, CancellationToken cancellationToken);

    /// <summary>Ends one session.</summary>
    /// <returns>Whether there was one to end; or that it is journalled, because Redis is away.</returns>
    /// <exception cref="StorageUnavailableException">It may go on: Redis is away and the revocation could not be journalled.</exception>
    Task<Revocation> RevokeAsync(string userId, SessionId id, CancellationToken cancellationToken);

    /// <summary>Ends every session of a user, also those that the index has lost.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="except">A session to keep, for "log out my other devices".</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="StorageUnavailableException">They may go on: Redis is away and the revocation could not be journalled.</exception>
    Task<RevokedSessions> RevokeAllAsync(string userId, SessionId? except, CancellationToken cancellationToken);

    /// <summary>Replaces a session's id and token, at log-in, step-up or password change. The old token answers for <see cref="SessionOptions.RotationGrace"/>.</summary>
    Task<SessionRotation> RotateAsync(string? token, SessionChanges changes, CancellationToken cancellationToken);
}
