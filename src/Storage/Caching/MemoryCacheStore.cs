using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Caching;

/// <summary>Cached values of one host. At its cap it lets go of what expires soonest.</summary>
public sealed class MemoryCacheStore : ICacheStore, IDisposable
{
    private readonly Lock gate = new();
    private readonly ExpiringMap<CacheKey, Entry> entries;
    private readonly ExpiringMap<UserReference, string> epochs;

    /// <summary>Creates an empty store.</summary>
    public MemoryCacheStore(IOptions<MemoryOptions> bounds, TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(bounds);
        var (cap, sweep) = (bounds.Value.MaxEntriesPerKind, bounds.Value.SweepInterval);
        entries = new ExpiringMap<CacheKey, Entry>(cap, timeProvider, sweep, WhenFull.DropSoonest);
        epochs = new ExpiringMap<UserReference, string>(cap, timeProvider, sweep, WhenFull.DropSoonest);
    }

    /// <inheritdoc/>
    public bool IsLocal => true;

    /// <summary>Values and leases held now.</summary>
    public int Count => entries.Count;

    /// <inheritdoc/>
    public Task<CacheLookup> ReadAsync(CacheKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            return Task.FromResult(Read(key, Epoch(key)));
        }
    }

    /// <inheritdoc/>
    public Task<CacheLookup> BeginAsync(CacheKey key, TimeSpan life, TimeSpan lease, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            var epoch = Epoch(key) ?? CacheRecord.NewToken();
            if (key.User is { } user && (!epochs.TryGet(user, out _, out var left) || left < life + lease))
            {
                epochs.TrySet(user, epoch, life + lease);
            }

            var found = Read(key, epoch);
            if (found.State != CacheState.Miss)
            {
                return Task.FromResult(found);
            }

            var granted = new CacheLease(key, CacheRecord.NewToken(), epoch);
            entries.TrySet(key, new Entry(epoch, granted.Token, null), lease);
            return Task.FromResult(new CacheLookup(CacheState.Leased, Lease: granted));
        }
    }

    /// <inheritdoc/>
    public Task<bool> CompleteAsync(CacheLease lease, byte[]? payload, TimeSpan life, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            return Task.FromResult(IsHeld(lease)
                && string.Equals(Epoch(lease.Key), lease.Epoch, StringComparison.Ordinal)
                && entries.TrySet(lease.Key, new Entry(lease.Epoch, null, payload), life));
        }
    }

    /// <inheritdoc/>
    public Task<bool> AbandonAsync(CacheLease lease, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            return Task.FromResult(IsHeld(lease) && entries.Remove(lease.Key));
        }
    }

    /// <inheritdoc/>
    public Task<bool> RemoveAsync(CacheKey key, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            return Task.FromResult(entries.Remove(key));
        }
    }

    /// <inheritdoc/>
    public Task<bool> RemoveUserAsync(UserReference user, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            // Both, as one step; values of the old epoch are found by nobody and expire.
            return Task.FromResult(epochs.Remove(user) | entries.Remove(CacheKey.Profile(user)));
        }
    }

    /// <inheritdoc/>
    public void Listen(Action<CacheInvalidation> heard)
    {
        // There is no other host.
    }

    /// <summary>What is cached of a user.</summary>
    internal IReadOnlyList<(CacheKey Key, byte[] Payload)> ValuesOf(UserReference user)
    {
        lock (gate)
        {
            return epochs.TryGet(user, out var epoch)
                ? [.. entries.Snapshot().Where(entry => entry.Key.User == user && entry.Value.Epoch == epoch && entry.Value.Payload is not null)
                    .Select(entry => (entry.Key, entry.Value.Payload!))]
                : [];
        }
    }

    /// <summary>Removes all of a user, values of an older epoch included; how many entries there were.</summary>
    internal Task<long> EraseUserAsync(UserReference user)
    {
        lock (gate)
        {
            return Task.FromResult((long)entries.RemoveWhere((key, _) => key.User == user) + (epochs.Remove(user) ? 1 : 0));
        }
    }

    /// <summary>Ends the sweep.</summary>
    public void Dispose()
    {
        entries.Dispose();
        epochs.Dispose();
    }

    private string? Epoch(CacheKey key) => key.User is not { } user ? "" : epochs.TryGet(user, out var epoch) ? epoch : null;

    private bool IsHeld(CacheLease lease) =>
        entries.TryGet(lease.Key, out var entry) && string.Equals(entry.Lease, lease.Token, StringComparison.Ordinal);

    private CacheLookup Read(CacheKey key, string? epoch) =>
        !entries.TryGet(key, out var entry, out var left) || !string.Equals(entry.Epoch, epoch, StringComparison.Ordinal) ? CacheLookup.Miss
        : entry.Lease is not null ? CacheLookup.Held
        : new CacheLookup(CacheState.Hit, entry.Payload, left);

    private sealed record Entry(string Epoch, string? Lease, byte[]? Payload);
}
