using Maintenance.Storage.Diagnostics;

namespace Maintenance.Storage.OAuth;

/// <summary>Measures another store. A redemption is a <c>hit</c>, a <c>miss</c> (not found) or <c>denied</c> (mismatch or malformed).</summary>
public sealed class InstrumentedOAuthStateStore(IOAuthStateStore inner, AuthStoreMetrics metrics, TimeProvider timeProvider) : IOAuthStateStore
{
    /// <summary>Value of the label <c>store</c>.</summary>
    public const string StoreLabel = "oauth_states";

    internal static readonly string[] Operations = ["create", "redeem"];

    private readonly StoreMeter meter = new(StoreLabel, metrics, timeProvider);

    /// <inheritdoc/>
    public Task<IssuedOAuthState> CreateAsync(NewOAuthState state, CancellationToken cancellationToken) =>
        meter.MeasureAsync("create", () => inner.CreateAsync(state, cancellationToken));

    /// <inheritdoc/>
    public async Task<OAuthRedemption> RedeemAsync(string provider, string? state, string? browserNonce, CancellationToken cancellationToken)
    {
        var redemption = await meter.MeasureAsync("redeem", () => inner.RedeemAsync(provider, state, browserNonce, cancellationToken)).ConfigureAwait(false);
        meter.Lookup(redemption.Outcome switch
        {
            OAuthRedemptionOutcome.Redeemed => "hit",
            OAuthRedemptionOutcome.NotFound => "miss",
            _ => "denied",
        });
        return redemption;
    }
}
