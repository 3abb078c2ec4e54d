using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.RefreshTokens;

/// <summary>
/// Refresh tokens in families. A family ends by revocation, by the user's generation, or by its own expiry, not because its session idled out.
/// Every method throws <see cref="StorageUnavailableException"/> when the store does not answer within the deadline; a caller without an answer denies.
/// </summary>
public interface IRefreshTokenStore
{
    /// <summary>Starts a family.</summary>
    /// <exception cref="ArgumentException">A field is out of its bounds; nothing was stored.</exception>
    Task<RefreshIssue> IssueAsync(NewRefreshFamily family, CancellationToken cancellationToken);

    /// <summary>Exchanges a token for the next one of its family.</summary>
    /// <param name="token">What the client sent; anything, null included.</param>
    /// <param name="cancellationToken">Ends the wait. The exchange may still happen; the old token then works for the grace.</param>
    Task<RefreshRotation> RotateAsync(string? token, CancellationToken cancellationToken);

    /// <summary>
    /// Binds a family to the session that replaces one which idled out. False: the family or the session has been ended meanwhile (a log-out everywhere
    /// came between); end the new session and deny.
    /// </summary>
    Task<bool> BindSessionAsync(string userId, TokenId familyId, SessionId sessionId, CancellationToken cancellationToken);

    /// <summary>A user's live families, those that expire last first.</summary>
    Task<IReadOnlyList<RefreshFamily>> ListAsync(string userId, CancellationToken cancellationToken);

    /// <summary>Ends one family; its session lives on.</summary>
    /// <returns>Whether there was one to end.</returns>
    Task<Revocation> RevokeAsync(string userId, TokenId familyId, CancellationToken cancellationToken);

    /// <summary>Ends every family of a user, also those that the index has lost; the sessions live on.</summary>
    /// <returns>Records deleted.</returns>
    Task<Revocation> RevokeAllAsync(string userId, CancellationToken cancellationToken);

    /// <summary>Ends the families of a session. Call it before the session is ended: an id that a rotation has replaced is followed.</summary>
    /// <returns>Families ended.</returns>
    Task<Revocation> RevokeForSessionAsync(string userId, SessionId sessionId, CancellationToken cancellationToken);

    /// <summary>Binds a session's families to the id that a rotation gave it.</summary>
    /// <returns>Families bound anew.</returns>
    Task<int> MoveSessionAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken);

    /// <summary>
    /// After the user's generation has changed: the families of a kept session are carried into it, those made since stay, all others end.
    /// </summary>
    /// <param name="userId">The user.</param>
    /// <param name="kept">The session that lived on ("log out my other devices"); it must be valid, or its families end too.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Families ended.</returns>
    Task<int> CarryOverAsync(string userId, SessionId? kept, CancellationToken cancellationToken);
}
