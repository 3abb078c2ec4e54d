using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.TwoFactor;

/// <summary>Measures another store. Attempts and completions are look-ups: hit when let through or completed, miss, or denied.</summary>
public sealed class InstrumentedTwoFactorStore(ITwoFactorStore inner, AuthStoreMetrics metrics, TimeProvider timeProvider) : ITwoFactorStore
{
    /// <summary>Value of the label <c>store</c>.</summary>
    public const string StoreLabel = "two_factor";

    internal static readonly string[] Operations = ["begin", "peek", "attempt", "complete", "redeem_code", "find_active", "cancel", "cancel_all", "forgive"];

    private readonly StoreMeter meter = new(StoreLabel, metrics, timeProvider);

    /// <inheritdoc/>
    public Task<TwoFactorStart> BeginAsync(NewTwoFactorChallenge challenge, CancellationToken cancellationToken) =>
        meter.MeasureAsync("begin", () => inner.BeginAsync(challenge, cancellationToken));

    /// <inheritdoc/>
    public Task<TwoFactorChallenge?> PeekAsync(string? token, CancellationToken cancellationToken) =>
        meter.MeasureAsync("peek", () => inner.PeekAsync(token, cancellationToken));

    /// <inheritdoc/>
    public Task<TwoFactorAttempt> AttemptAsync(string? token, CancellationToken cancellationToken) =>
        LookUpAsync("attempt", () => inner.AttemptAsync(token, cancellationToken));

    /// <inheritdoc/>
    public Task<TwoFactorAttempt> CompleteAsync(string? token, long? timeStep, CancellationToken cancellationToken) =>
        LookUpAsync("complete", () => inner.CompleteAsync(token, timeStep, cancellationToken));

    /// <inheritdoc/>
    public Task<TwoFactorAttempt> RedeemCodeAsync(string? token, string? code, CancellationToken cancellationToken) =>
        LookUpAsync("redeem_code", () => inner.RedeemCodeAsync(token, code, cancellationToken));

    /// <inheritdoc/>
    public Task<TwoFactorChallenge?> FindActiveAsync(string userId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("find_active", () => inner.FindActiveAsync(userId, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> CancelAsync(string userId, TokenId id, CancellationToken cancellationToken) =>
        meter.MeasureAsync("cancel", () => inner.CancelAsync(userId, id, cancellationToken));

    /// <inheritdoc/>
    public Task<int> CancelAllAsync(string userId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("cancel_all", () => inner.CancelAllAsync(userId, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> ForgiveAsync(string userId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("forgive", () => inner.ForgiveAsync(userId, cancellationToken));

    private async Task<TwoFactorAttempt> LookUpAsync(string operation, Func<Task<TwoFactorAttempt>> call)
    {
        var attempt = await meter.MeasureAsync(operation, call).ConfigureAwait(false);
        meter.Lookup(attempt.Outcome switch
        {
            TwoFactorOutcome.Allowed or TwoFactorOutcome.Completed => "hit",
            TwoFactorOutcome.Denied => attempt.Denial.Result(),
            _ => "denied",
        });
        return attempt;
    }
}
