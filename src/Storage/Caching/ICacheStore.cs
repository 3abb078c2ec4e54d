namespace Maintenance.Storage.Caching;

/// <summary>
/// Where cached values lie. Who finds none takes a lease under the value's own key, and may write only while that lease stands: an invalidation
/// removes the lease with the value, so a load that began before it cannot bring back what was invalidated.
/// </summary>
public interface ICacheStore
{
    /// <summary>Whether the store is this host's own memory, so that a copy of it would be of no use.</summary>
    bool IsLocal { get; }

    /// <summary>Reads a value: plain reads in one flush.</summary>
    /// <exception cref="Redis.StorageUnavailableException">No answer.</exception>
    Task<CacheLookup> ReadAsync(CacheKey key, CancellationToken cancellationToken);

    /// <summary>Reads a value, or takes the lease to load it if nobody holds one.</summary>
    /// <param name="key">Which value.</param>
    /// <param name="life">Longest time for which the value may be stored then.</param>
    /// <param name="lease">Longest time for the load.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="Redis.StorageUnavailableException">No answer.</exception>
    Task<CacheLookup> BeginAsync(CacheKey key, TimeSpan life, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Stores what was loaded, if the lease still stands.</summary>
    /// <param name="lease">From <see cref="BeginAsync"/>.</param>
    /// <param name="payload">The value; null: there is none.</param>
    /// <param name="life">How long it lives.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False: it was invalidated meanwhile, or the load took too long; nothing was stored.</returns>
    /// <exception cref="Redis.StorageUnavailableException">No answer.</exception>
    Task<bool> CompleteAsync(CacheLease lease, byte[]? payload, TimeSpan life, CancellationToken cancellationToken);

    /// <summary>Gives a lease back after a load that failed.</summary>
    /// <returns>Whether it was still held.</returns>
    /// <exception cref="Redis.StorageUnavailableException">No answer; the lease expires by itself.</exception>
    Task<bool> AbandonAsync(CacheLease lease, CancellationToken cancellationToken);

    /// <summary>Removes a value and ends a load of it, and tells the other hosts.</summary>
    /// <exception cref="Redis.StorageUnavailableException">Not known whether it is removed.</exception>
    Task<bool> RemoveAsync(CacheKey key, CancellationToken cancellationToken);

    /// <summary>Removes all values of a user, the profile included, ends loads of them, and tells the other hosts.</summary>
    /// <exception cref="Redis.StorageUnavailableException">Not known whether they are removed.</exception>
    Task<bool> RemoveUserAsync(Redis.UserReference user, CancellationToken cancellationToken);

    /// <summary>Names who is told of other hosts' invalidations. A hint: some may never arrive.</summary>
    void Listen(Action<CacheInvalidation> heard);
}

/// <summary>What a store found.</summary>
public enum CacheState
{
    /// <summary>Nothing.</summary>
    Miss,

    /// <summary>A value, or the knowledge that there is none.</summary>
    Hit,

    /// <summary>Somebody is loading it, or something stands there that this program does not know.</summary>
    Held,

    /// <summary>Nothing, and the caller may load it.</summary>
    Leased,
}

/// <summary>What a store answers.</summary>
/// <param name="State">What it found.</param>
/// <param name="Payload">Of a hit: the value's bytes; null for a negative entry.</param>
/// <param name="TimeToLive">Of a hit: how long it will live.</param>
/// <param name="Lease">Of <see cref="CacheState.Leased"/>.</param>
public sealed record CacheLookup(CacheState State, byte[]? Payload = null, TimeSpan TimeToLive = default, CacheLease? Lease = null)
{
    internal static readonly CacheLookup Miss = new(CacheState.Miss);
    internal static readonly CacheLookup Held = new(CacheState.Held);
}

/// <summary>The right to store a value, for as long as nobody invalidates it.</summary>
/// <param name="Key">Which value.</param>
/// <param name="Token">Random; names this load.</param>
/// <param name="Epoch">Names what is cached of the user until all of it is invalidated; empty without a user.</param>
public sealed record CacheLease(CacheKey Key, string Token, string Epoch);

/// <summary>An invalidation that another host made.</summary>
/// <param name="Kind">The kind of the value.</param>
/// <param name="User">Whose; null for nobody's.</param>
/// <param name="Name">The name; null for all of the user.</param>
public sealed record CacheInvalidation(Redis.StateKind Kind, Redis.UserReference? User, string? Name);
