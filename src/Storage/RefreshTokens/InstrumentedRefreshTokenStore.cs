using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.RefreshTokens;

/// <summary>Measures another store. A rotation is a look-up: hit, miss, or denied, which a reuse is too.</summary>
public sealed class InstrumentedRefreshTokenStore(IRefreshTokenStore inner, AuthStoreMetrics metrics, TimeProvider timeProvider) : IRefreshTokenStore
{
    /// <summary>Value of the label <c>store</c>.</summary>
    public const string StoreLabel = "refresh_tokens";

    internal static readonly string[] Operations =
        ["issue", "rotate", "bind_session", "list", "revoke", "revoke_all", "revoke_for_session", "move_session", "carry_over"];

    private readonly StoreMeter meter = new(StoreLabel, metrics, timeProvider);

    /// <inheritdoc/>
    public Task<RefreshIssue> IssueAsync(NewRefreshFamily family, CancellationToken cancellationToken) =>
        meter.MeasureAsync("issue", () => inner.IssueAsync(family, cancellationToken));

    /// <inheritdoc/>
    public async Task<RefreshRotation> RotateAsync(string? token, CancellationToken cancellationToken)
    {
        var rotation = await meter.MeasureAsync("rotate", () => inner.RotateAsync(token, cancellationToken)).ConfigureAwait(false);
        meter.Lookup(rotation.Outcome == RefreshOutcome.Reused ? "denied" : rotation.Denial.Result());
        return rotation;
    }

    /// <inheritdoc/>
    public Task<bool> BindSessionAsync(string userId, TokenId familyId, SessionId sessionId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("bind_session", () => inner.BindSessionAsync(userId, familyId, sessionId, cancellationToken));

    /// <inheritdoc/>
    public Task<IReadOnlyList<RefreshFamily>> ListAsync(string userId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("list", () => inner.ListAsync(userId, cancellationToken));

    /// <inheritdoc/>
    public Task<Revocation> RevokeAsync(string userId, TokenId familyId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("revoke", () => inner.RevokeAsync(userId, familyId, cancellationToken));

    /// <inheritdoc/>
    public Task<Revocation> RevokeAllAsync(string userId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("revoke_all", () => inner.RevokeAllAsync(userId, cancellationToken));

    /// <inheritdoc/>
    public Task<Revocation> RevokeForSessionAsync(string userId, SessionId sessionId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("revoke_for_session", () => inner.RevokeForSessionAsync(userId, sessionId, cancellationToken));

    /// <inheritdoc/>
    public Task<int> MoveSessionAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken) =>
        meter.MeasureAsync("move_session", () => inner.MoveSessionAsync(userId, from, to, cancellationToken));

    /// <inheritdoc/>
    public Task<int> CarryOverAsync(string userId, SessionId? kept, CancellationToken cancellationToken) =>
        meter.MeasureAsync("carry_over", () => inner.CarryOverAsync(userId, kept, cancellationToken));
}
