using Maintenance.Storage.Caching;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Outage;

/// <summary>Cached values in Redis, or in memory by choice. While Redis is away every call fails at once, and the value comes from its source.</summary>
internal sealed class SwitchingCacheStore(Lazy<ICacheStore> redis, ICacheStore memory, StorageSwitch mode) : ICacheStore
{
    private readonly Lock gate = new();
    private readonly List<Action<CacheInvalidation>> listeners = [];
    private bool listening;

    /// <inheritdoc/>
    public bool IsLocal => Current.IsLocal;

    private ICacheStore Current
    {
        get
        {
            if (mode.Route() == StorageRoute.Memory)
            {
                return memory;
            }

            var store = redis.Value;
            if (!Volatile.Read(ref listening))
            {
                lock (gate)
                {
                    if (!listening)
                    {
                        listeners.ForEach(store.Listen);
                        Volatile.Write(ref listening, true);
                    }
                }
            }

            return store;
        }
    }

    /// <inheritdoc/>
    public Task<CacheLookup> ReadAsync(CacheKey key, CancellationToken cancellationToken) => Current.ReadAsync(key, cancellationToken);

    /// <inheritdoc/>
    public Task<CacheLookup> BeginAsync(CacheKey key, TimeSpan life, TimeSpan lease, CancellationToken cancellationToken) =>
        Current.BeginAsync(key, life, lease, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> CompleteAsync(CacheLease lease, byte[]? payload, TimeSpan life, CancellationToken cancellationToken) =>
        Current.CompleteAsync(lease, payload, life, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> AbandonAsync(CacheLease lease, CancellationToken cancellationToken) => Current.AbandonAsync(lease, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RemoveAsync(CacheKey key, CancellationToken cancellationToken) => Current.RemoveAsync(key, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RemoveUserAsync(UserReference user, CancellationToken cancellationToken) => Current.RemoveUserAsync(user, cancellationToken);

    /// <inheritdoc/>
    public void Listen(Action<CacheInvalidation> heard)
    {
        lock (gate)
        {
            listeners.Add(heard);
            if (listening)
            {
                redis.Value.Listen(heard);
            }
        }

        memory.Listen(heard);
    }
}
