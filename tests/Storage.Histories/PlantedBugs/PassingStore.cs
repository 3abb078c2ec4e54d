using Maintenance.Storage.Outage;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Histories.PlantedBugs;

/// <summary>Hands every call on; a planted bug overrides one.</summary>
internal abstract class PassingStore(ISessionStore inner) : ISessionStore
{
    public virtual Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken) => inner.CreateAsync(session, cancellationToken);

    public Task<long?> GetGenerationAsync(string userId, CancellationToken cancellationToken) => inner.GetGenerationAsync(userId, cancellationToken);

    public virtual Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken) => inner.ValidateAsync(token, cancellationToken);

    public Task<Session?> GetAsync(string userId, SessionId id, CancellationToken cancellationToken) => inner.GetAsync(userId, id, cancellationToken);

    public Task<IReadOnlyList<Session>> ListAsync(string userId, CancellationToken cancellationToken) => inner.ListAsync(userId, cancellationToken);

    public Task<int> CountAsync(string userId, CancellationToken cancellationToken) => inner.CountAsync(userId, cancellationToken);

    public Task<Revocation> RevokeAsync(string userId, SessionId id, CancellationToken cancellationToken) => inner.RevokeAsync(userId, id, cancellationToken);

    public Task<RevokedSessions> RevokeAllAsync(string userId, SessionId? except, CancellationToken cancellationToken) =>
        inner.RevokeAllAsync(userId, except, cancellationToken);

    public virtual Task<SessionRotation> RotateAsync(string? token, SessionChanges changes, CancellationToken cancellationToken) =>
        inner.RotateAsync(token, changes, cancellationToken);
}
