using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.RefreshTokens;

/// <summary>
/// Ends a session's refresh families with it, and takes them along when its id changes. Everything else goes straight to the other store.
/// </summary>
public sealed class FamilyAwareSessionStore(ISessionStore inner, IRefreshTokenStore families) : ISessionStore
{
    /// <inheritdoc/>
    public Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken) => inner.CreateAsync(session, cancellationToken);

    /// <inheritdoc/>
    public Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken) => inner.ValidateAsync(token, cancellationToken);

    /// <inheritdoc/>
    public Task<Session?> GetAsync(string userId, SessionId id, CancellationToken cancellationToken) => inner.GetAsync(userId, id, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Session>> ListAsync(string userId, CancellationToken cancellationToken) => inner.ListAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public Task<int> CountAsync(string userId, CancellationToken cancellationToken) => inner.CountAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> RevokeAsync(string userId, SessionId id, CancellationToken cancellationToken)
    {
        // Families first: if the second step fails, the caller hears it while the session is still there to be ended.
        await families.RevokeForSessionAsync(userId, id, cancellationToken).ConfigureAwait(false);
        return await inner.RevokeAsync(userId, id, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<RevokedSessions> RevokeAllAsync(string userId, SessionId? except, CancellationToken cancellationToken)
    {
        // The generation ends every family; only those of a kept session have to be carried over, the rest is tidied.
        var revoked = await inner.RevokeAllAsync(userId, except, cancellationToken).ConfigureAwait(false);
        await families.CarryOverAsync(userId, revoked.KeptSession ? except : null, cancellationToken).ConfigureAwait(false);
        return revoked;
    }

    /// <inheritdoc/>
    public async Task<SessionRotation> RotateAsync(string? token, SessionChanges changes, CancellationToken cancellationToken)
    {
        var rotation = await inner.RotateAsync(token, changes, cancellationToken).ConfigureAwait(false);
        if (rotation.Issued is { } issued && SessionToken.TryParse(token, out var old))
        {
            // If this fails, nobody gets the new token: the old one answers for the grace, and the family can start another session.
            await families.MoveSessionAsync(issued.Session.UserId, old.Id, issued.Token.Id, cancellationToken).ConfigureAwait(false);
        }

        return rotation;
    }
}
