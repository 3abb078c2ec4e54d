using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.OneTimeTokens;

/// <summary>Measures another store. A redemption and a peek are look-ups.</summary>
public sealed class InstrumentedOneTimeTokenStore(IOneTimeTokenStore inner, AuthStoreMetrics metrics, TimeProvider timeProvider) : IOneTimeTokenStore
{
    /// <summary>Value of the label <c>store</c>.</summary>
    public const string StoreLabel = "one_time_tokens";

    internal static readonly string[] Operations = ["issue", "redeem", "peek", "count_active", "invalidate_all"];

    private readonly StoreMeter meter = new(StoreLabel, metrics, timeProvider);

    /// <inheritdoc/>
    public Task<IssuedOneTimeToken> IssueAsync(OneTimePurpose purpose, string userId, string? data, CancellationToken cancellationToken) =>
        meter.MeasureAsync("issue", () => inner.IssueAsync(purpose, userId, data, cancellationToken));

    /// <inheritdoc/>
    public Task<OneTimeRedemption> RedeemAsync(OneTimePurpose purpose, string? token, CancellationToken cancellationToken) =>
        LookUpAsync("redeem", () => inner.RedeemAsync(purpose, token, cancellationToken));

    /// <inheritdoc/>
    public Task<OneTimeRedemption> PeekAsync(OneTimePurpose purpose, string? token, CancellationToken cancellationToken) =>
        LookUpAsync("peek", () => inner.PeekAsync(purpose, token, cancellationToken));

    /// <inheritdoc/>
    public Task<int> CountActiveAsync(OneTimePurpose purpose, string userId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("count_active", () => inner.CountActiveAsync(purpose, userId, cancellationToken));

    /// <inheritdoc/>
    public Task<Revocation> InvalidateAllAsync(OneTimePurpose purpose, string userId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("invalidate_all", () => inner.InvalidateAllAsync(purpose, userId, cancellationToken));

    private async Task<OneTimeRedemption> LookUpAsync(string operation, Func<Task<OneTimeRedemption>> call)
    {
        var redemption = await meter.MeasureAsync(operation, call).ConfigureAwait(false);
        meter.Lookup(redemption.Denial.Result());
        return redemption;
    }
}
