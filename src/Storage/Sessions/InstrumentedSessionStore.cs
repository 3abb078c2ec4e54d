using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;

namespace Maintenance.Storage.Sessions;

/// <summary>Measures another store. The stores themselves know nothing of telemetry.</summary>
public sealed class InstrumentedSessionStore(ISessionStore inner, AuthStoreMetrics metrics, TimeProvider timeProvider) : ISessionStore
{
    /// <summary>Value of the label <c>store</c>.</summary>
    public const string StoreLabel = "sessions";

    internal static readonly string[] Operations = ["create", "generation", "validate", "get", "list", "count", "revoke", "revoke_all", "rotate"];

    private readonly StoreMeter meter = new(StoreLabel, metrics, timeProvider);

    /// <inheritdoc/>
    public async Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken)
    {
        var issued = await meter.MeasureAsync("create", () => inner.CreateAsync(session, cancellationToken)).ConfigureAwait(false);
        metrics.SessionCreated();
        metrics.SessionsEnded("evicted", issued.EvictedSessions);
        return issued;
    }

    /// <inheritdoc/>
    public Task<long?> GetGenerationAsync(string userId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("generation", () => inner.GetGenerationAsync(userId, cancellationToken));

    /// <inheritdoc/>
    public async Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken)
    {
        var validation = await meter.MeasureAsync("validate", () => inner.ValidateAsync(token, cancellationToken)).ConfigureAwait(false);
        meter.Lookup(validation.IsValid ? "hit" : validation.Denial == SessionDenial.NotFound ? "miss" : "denied");
        return validation;
    }

    /// <inheritdoc/>
    public Task<Session?> GetAsync(string userId, SessionId id, CancellationToken cancellationToken) =>
        meter.MeasureAsync("get", () => inner.GetAsync(userId, id, cancellationToken));

    /// <inheritdoc/>
    public Task<IReadOnlyList<Session>> ListAsync(string userId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("list", () => inner.ListAsync(userId, cancellationToken));

    /// <inheritdoc/>
    public Task<int> CountAsync(string userId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("count", () => inner.CountAsync(userId, cancellationToken));

    /// <inheritdoc/>
    public async Task<Revocation> RevokeAsync(string userId, SessionId id, CancellationToken cancellationToken)
    {
        var ended = await meter.MeasureAsync("revoke", () => inner.RevokeAsync(userId, id, cancellationToken)).ConfigureAwait(false);
        metrics.SessionsEnded("revoked", ended.Ended);
        return ended;
    }

    /// <inheritdoc/>
    public async Task<RevokedSessions> RevokeAllAsync(string userId, SessionId? except, CancellationToken cancellationToken)
    {
        var revoked = await meter.MeasureAsync("revoke_all", () => inner.RevokeAllAsync(userId, except, cancellationToken)).ConfigureAwait(false);
        metrics.SessionsEnded("revoked_all", revoked.EndedSessions);
        return revoked;
    }

    /// <inheritdoc/>
    public Task<SessionRotation> RotateAsync(string? token, SessionChanges changes, CancellationToken cancellationToken) =>
        meter.MeasureAsync("rotate", () => inner.RotateAsync(token, changes, cancellationToken));
}
