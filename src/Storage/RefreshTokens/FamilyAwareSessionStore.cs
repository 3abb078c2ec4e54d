using Maintenance.Storage.Outage;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.RefreshTokens;

/// <summary>
/// Carries the refresh families of a kept session over when a log-out everywhere changes the generation. That a family ends with its session, and
/// goes along when the session's id changes, is part of the sessions' own scripts. Everything else goes straight to the other store.
/// </summary>
public sealed class FamilyAwareSessionStore(ISessionStore inner, IRefreshTokenStore families) : ISessionStore
{
    /// <inheritdoc/>
    public Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken) => inner.CreateAsync(session, cancellationToken);

    /// <inheritdoc/>
    public Task<long?> GetGenerationAsync(string userId, CancellationToken cancellationToken) => inner.GetGenerationAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken) => inner.ValidateAsync(token, cancellationToken);

    /// <inheritdoc/>
    public Task<Session?> GetAsync(string userId, SessionId id, CancellationToken cancellationToken) => inner.GetAsync(userId, id, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Session>> ListAsync(string userId, CancellationToken cancellationToken) => inner.ListAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public Task<int> CountAsync(string userId, CancellationToken cancellationToken) => inner.CountAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public Task<Revocation> RevokeAsync(string userId, SessionId id, CancellationToken cancellationToken) =>
        inner.RevokeAsync(userId, id, cancellationToken);

    /// <inheritdoc/>
    public async Task<RevokedSessions> RevokeAllAsync(string userId, SessionId? except, CancellationToken cancellationToken)
    {
        // The generation ends every family; only those of a kept session have to be carried over, the rest is tidied.
        var revoked = await inner.RevokeAllAsync(userId, except, cancellationToken).ConfigureAwait(false);
        // A journalled one takes the families along when it is carried out.
        if (revoked.Outcome == RevocationOutcome.Done)
        {
            await families.CarryOverAsync(userId, revoked.KeptSession ? except : null, cancellationToken).ConfigureAwait(false);
        }

        return revoked;
    }

    /// <inheritdoc/>
    public Task<SessionRotation> RotateAsync(string? token, SessionChanges changes, CancellationToken cancellationToken) =>
        inner.RotateAsync(token, changes, cancellationToken);
}
