using Maintenance.Storage.Histories.Running;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Histories.Memory;

/// <summary>Waits for its client's turn before each call, as a Redis connection does before each command: the in-memory store itself never waits.</summary>
internal sealed class TurnStore(ISessionStore inner) : ISessionStore
{
    public async Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken)
    {
        await TurnScheduler.TurnAsync();
        return await inner.CreateAsync(session, cancellationToken);
    }

    public async Task<long?> GetGenerationAsync(string userId, CancellationToken cancellationToken)
    {
        await TurnScheduler.TurnAsync();
        return await inner.GetGenerationAsync(userId, cancellationToken);
    }

    public async Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken)
    {
        await TurnScheduler.TurnAsync();
        return await inner.ValidateAsync(token, cancellationToken);
    }

    public async Task<Session?> GetAsync(string userId, SessionId id, CancellationToken cancellationToken)
    {
        await TurnScheduler.TurnAsync();
        return await inner.GetAsync(userId, id, cancellationToken);
    }

    public async Task<IReadOnlyList<Session>> ListAsync(string userId, CancellationToken cancellationToken)
    {
        await TurnScheduler.TurnAsync();
        return await inner.ListAsync(userId, cancellationToken);
    }

    public async Task<int> CountAsync(string userId, CancellationToken cancellationToken)
    {
        await TurnScheduler.TurnAsync();
        return await inner.CountAsync(userId, cancellationToken);
    }

    public async Task<Revocation> RevokeAsync(string userId, SessionId id, CancellationToken cancellationToken)
    {
        await TurnScheduler.TurnAsync();
        return await inner.RevokeAsync(userId, id, cancellationToken);
    }

    public async Task<RevokedSessions> RevokeAllAsync(string userId, SessionId? except, CancellationToken cancellationToken)
    {
        await TurnScheduler.TurnAsync();
        return await inner.RevokeAllAsync(userId, except, cancellationToken);
    }

    public async Task<SessionRotation> RotateAsync(string? token, SessionChanges changes, CancellationToken cancellationToken)
    {
        await TurnScheduler.TurnAsync();
        return await inner.RotateAsync(token, changes, cancellationToken);
    }
}
