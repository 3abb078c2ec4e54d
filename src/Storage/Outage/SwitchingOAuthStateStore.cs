using Maintenance.Storage.OAuth;

namespace Maintenance.Storage.Outage;

/// <summary>OAuth states in Redis, or in memory by choice. While Redis is away a log-in at another provider neither begins nor ends.</summary>
internal sealed class SwitchingOAuthStateStore(Lazy<IOAuthStateStore> redis, IOAuthStateStore memory, StorageSwitch mode) : IOAuthStateStore
{
    private IOAuthStateStore Current => mode.Route() == StorageRoute.Memory ? memory : redis.Value;

    /// <inheritdoc/>
    public Task<IssuedOAuthState> CreateAsync(NewOAuthState state, CancellationToken cancellationToken) => Current.CreateAsync(state, cancellationToken);

    /// <inheritdoc/>
    public Task<OAuthRedemption> RedeemAsync(string provider, string? state, string? browserNonce, CancellationToken cancellationToken) =>
        Current.RedeemAsync(provider, state, browserNonce, cancellationToken);
}
