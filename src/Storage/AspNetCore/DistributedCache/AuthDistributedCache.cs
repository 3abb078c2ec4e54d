using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Caching.Distributed;

namespace Maintenance.Storage.AspNetCore.DistributedCache;

/// <summary>
/// <see cref="IDistributedCache"/> on the Redis of auth storage, measured. A Redis that does not answer within the deadline is a
/// <see cref="StorageUnavailableException"/>, never a miss: only the caller knows whether it has another source. The synchronous methods block their
/// thread for as long.
/// </summary>
public sealed class AuthDistributedCache : IDistributedCache
{
    internal const string StoreLabel = "distributed_cache";
    internal static readonly string[] Operations = ["get", "set", "refresh", "remove"];

    private readonly RedisCacheEntries entries;
    private readonly StoreMeter meter;

    internal AuthDistributedCache(RedisCacheEntries entries, AuthStoreMetrics metrics, TimeProvider timeProvider)
    {
        this.entries = entries;
        meter = new StoreMeter(StoreLabel, metrics, timeProvider);
    }

    /// <inheritdoc/>
    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        var value = await meter.MeasureAsync("get", () => entries.GetAsync(key, token)).ConfigureAwait(false);
        meter.Lookup(value is null ? "miss" : "hit");
        return value;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The value is too large, or its time is over; nothing was stored.</exception>
    public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default) =>
        meter.MeasureAsync("set", () => entries.SetAsync(key, value, options, token));

    /// <inheritdoc/>
    public Task RefreshAsync(string key, CancellationToken token = default) => meter.MeasureAsync("refresh", () => entries.RefreshAsync(key, token));

    /// <inheritdoc/>
    public Task RemoveAsync(string key, CancellationToken token = default) => meter.MeasureAsync("remove", () => entries.RemoveAsync(key, token));

    /// <inheritdoc/>
    public byte[]? Get(string key) => Task.Run(() => GetAsync(key)).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => Task.Run(() => SetAsync(key, value, options)).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public void Refresh(string key) => Task.Run(() => RefreshAsync(key)).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public void Remove(string key) => Task.Run(() => RemoveAsync(key)).GetAwaiter().GetResult();
}
