using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Caching;

/// <summary>
/// Measures another cache store, profiles under a label of their own. A lookup is <c>hit</c> or <c>miss</c>; what a host answers from its own copy
/// never comes here.
/// </summary>
public sealed class InstrumentedCacheStore(ICacheStore inner, AuthStoreMetrics metrics, TimeProvider timeProvider) : ICacheStore
{
    /// <summary>Value of the label <c>store</c>.</summary>
    public const string StoreLabel = "cache";

    /// <summary>Value of the label <c>store</c> for profiles.</summary>
    public const string ProfileStoreLabel = "profile";

    internal static readonly string[] Operations = ["read", "begin", "complete", "abandon", "remove", "remove_user"];

    private readonly StoreMeter values = new(StoreLabel, metrics, timeProvider);
    private readonly StoreMeter profiles = new(ProfileStoreLabel, metrics, timeProvider);

    /// <inheritdoc/>
    public bool IsLocal => inner.IsLocal;

    /// <inheritdoc/>
    public async Task<CacheLookup> ReadAsync(CacheKey key, CancellationToken cancellationToken)
    {
        var meter = Meter(key);
        var found = await meter.MeasureAsync("read", () => inner.ReadAsync(key, cancellationToken)).ConfigureAwait(false);
        meter.Lookup(found.State == CacheState.Hit ? "hit" : "miss");
        return found;
    }

    /// <inheritdoc/>
    public Task<CacheLookup> BeginAsync(CacheKey key, TimeSpan life, TimeSpan lease, CancellationToken cancellationToken) =>
        Meter(key).MeasureAsync("begin", () => inner.BeginAsync(key, life, lease, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> CompleteAsync(CacheLease lease, byte[]? payload, TimeSpan life, CancellationToken cancellationToken) =>
        Meter(lease.Key).MeasureAsync("complete", () => inner.CompleteAsync(lease, payload, life, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> AbandonAsync(CacheLease lease, CancellationToken cancellationToken) =>
        Meter(lease.Key).MeasureAsync("abandon", () => inner.AbandonAsync(lease, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> RemoveAsync(CacheKey key, CancellationToken cancellationToken) =>
        Meter(key).MeasureAsync("remove", () => inner.RemoveAsync(key, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> RemoveUserAsync(UserReference user, CancellationToken cancellationToken) =>
        values.MeasureAsync("remove_user", () => inner.RemoveUserAsync(user, cancellationToken));

    /// <inheritdoc/>
    public void Listen(Action<CacheInvalidation> heard) => inner.Listen(heard);

    private StoreMeter Meter(CacheKey key) => key.Kind == StateKind.Profile ? profiles : values;
}
