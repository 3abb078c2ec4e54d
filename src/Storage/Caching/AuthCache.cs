using System.Text.Json;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.Caching;

/// <summary>Where a value came from.</summary>
public enum CacheSource
{
    /// <summary>This host's own copy, at most <see cref="CacheOptions.LocalLife"/> old.</summary>
    Local,

    /// <summary>The store.</summary>
    Store,

    /// <summary>The source, and the store has it now.</summary>
    Loaded,

    /// <summary>The source, and it was not stored: invalidated meanwhile, too large, too slow, or the store was in trouble.</summary>
    NotStored,
}

/// <summary>What the cache gave.</summary>
/// <param name="Value">The value, a copy of one's own; null when there is none.</param>
/// <param name="Source">Where it came from.</param>
public readonly record struct CacheResult<T>(T? Value, CacheSource Source)
    where T : class;

/// <summary>
/// Get-or-create over a store, with a small layer of this host's own. One load a key on a host, and one over all hosts while its lease lasts.
/// A store in trouble never fails a read: the value then comes from the source. No secret belongs here.
/// </summary>
public sealed class AuthCache : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ShortestJoin = TimeSpan.FromSeconds(1);

    private readonly ICacheStore store;
    private readonly IOptionsMonitor<CacheOptions> options;
    private readonly TimeProvider timeProvider;
    private readonly ILogger logger;
    private readonly LocalLayer local;

    /// <summary>Creates the cache of a host.</summary>
    public AuthCache(
        ICacheStore store, IOptionsMonitor<CacheOptions> options, IOptions<MemoryOptions> bounds, TimeProvider timeProvider, ILogger<AuthCache> logger)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(bounds);
        (this.store, this.options, this.timeProvider, this.logger) = (store, options, timeProvider, logger);
        local = new LocalLayer(options.CurrentValue.LocalEntries, timeProvider, bounds.Value.SweepInterval);
        store.Listen(Heard);
    }

    /// <summary>The cached value, or what the source gives. Kept as JSON.</summary>
    /// <param name="key">Which value.</param>
    /// <param name="load">
    /// Asks the source; null: there is no such value, which is remembered for <see cref="CacheOptions.NegativeLife"/>. Runs once for all who wait; its
    /// token is cancelled when nobody waits any more. What it throws reaches all of them, and nothing is stored.
    /// </param>
    /// <param name="cancellationToken">Ends this caller's wait, not the others'.</param>
    /// <param name="life">Instead of <see cref="CacheOptions.Life"/>.</param>
    /// <exception cref="ArgumentException">The default key, or a life that is not above zero.</exception>
    public async Task<CacheResult<T>> GetOrCreateAsync<T>(
        CacheKey key, Func<CancellationToken, Task<T?>> load, CancellationToken cancellationToken, TimeSpan? life = null)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(load);
        if (key == default)
        {
            throw new ArgumentException("The default value names nothing.", nameof(key));
        }

        if (life <= TimeSpan.Zero)
        {
            throw new ArgumentException("A life is above zero.", nameof(life));
        }

        var found = await GetAsync(
            key,
            async token => await load(token).ConfigureAwait(false) is { } value ? JsonSerializer.SerializeToUtf8Bytes(value) : null,
            life ?? options.CurrentValue.Life,
            cancellationToken).ConfigureAwait(false);
        try
        {
            return new CacheResult<T>(found.Payload is null ? null : JsonSerializer.Deserialize<T>(found.Payload), found.Source);
        }
        catch (JsonException) when (found.Source is CacheSource.Local or CacheSource.Store)
        {
            // Written by a program whose type had another shape.
            logger.CachedValueUnreadable(key.Kind.Label());
            local.Forget(key);
            await TryAsync(() => store.RemoveAsync(key, cancellationToken)).ConfigureAwait(false);
            return new CacheResult<T>(await load(cancellationToken).ConfigureAwait(false), CacheSource.NotStored);
        }
    }

    /// <summary>Makes every host forget a value; a load under way does not bring it back.</summary>
    /// <exception cref="StorageUnavailableException">This host has forgotten it; the others may answer with it until its life ends.</exception>
    public async Task InvalidateAsync(CacheKey key, CancellationToken cancellationToken)
    {
        local.Forget(key);
        try
        {
            await store.RemoveAsync(key, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Again: until the removal a reader could find the old value.
            local.Forget(key);
        }
    }

    /// <summary>Makes every host forget all that is cached of a user, the profile included; a load under way does not bring it back.</summary>
    /// <exception cref="StorageUnavailableException">This host has forgotten it; the others may answer with it until its life ends.</exception>
    public async Task InvalidateUserAsync(string userId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        local.ForgetUser(user);
        try
        {
            await store.RemoveUserAsync(user, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            local.ForgetUser(user);
        }
    }

    /// <summary>Ends the sweep of the local layer.</summary>
    public void Dispose() => local.Dispose();

    private async Task<Loaded> GetAsync(CacheKey key, Func<CancellationToken, Task<byte[]?>> load, TimeSpan life, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!store.IsLocal && local.TryGet(key, out var copy))
        {
            return new Loaded(copy, CacheSource.Local);
        }

        var current = options.CurrentValue;
        var joinable = current.LocalLife > ShortestJoin ? current.LocalLife : ShortestJoin;
        var flight = local.Join(key, joinable, token => FetchAsync(key, load, life, current, token));
        return await flight.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<Loaded> FetchAsync(CacheKey key, Func<CancellationToken, Task<byte[]?>> load, TimeSpan life, CacheOptions current, CancellationToken cancellationToken)
    {
        var stamp = local.Stamp(key);
        var longest = Jittered(life, current.Jitter);
        var found = await FindAsync(key, longest, current, cancellationToken).ConfigureAwait(false);
        if (found.State == CacheState.Hit)
        {
            Keep(key, found.Payload, found.TimeToLive, current, stamp);
            return new Loaded(found.Payload, CacheSource.Store);
        }

        byte[]? payload;
        try
        {
            payload = await load(cancellationToken).ConfigureAwait(false);
        }
        catch when (found.Lease is not null)
        {
            // The token may be cancelled already, and others wait for the lease.
            await TryAsync(() => store.AbandonAsync(found.Lease, CancellationToken.None)).ConfigureAwait(false);
            throw;
        }

        if (found.Lease is not { } lease)
        {
            return new Loaded(payload, CacheSource.NotStored);
        }

        var stored = payload is null ? Jittered(current.NegativeLife < life ? current.NegativeLife : life, current.Jitter) : longest;
        var done = payload?.Length > current.MaxBytes
            ? await TryAsync(() => store.AbandonAsync(lease, cancellationToken)).ConfigureAwait(false) && false
            : await TryAsync(() => store.CompleteAsync(lease, payload, stored, cancellationToken)).ConfigureAwait(false);
        if (done)
        {
            Keep(key, payload, stored, current, stamp);
        }

        return new Loaded(payload, done ? CacheSource.Loaded : CacheSource.NotStored);
    }

    // A value, a lease to load it, or neither: then the caller loads for itself and stores nothing.
    private async Task<CacheLookup> FindAsync(CacheKey key, TimeSpan life, CacheOptions current, CancellationToken cancellationToken)
    {
        var started = timeProvider.GetTimestamp();
        try
        {
            while (true)
            {
                var found = await store.ReadAsync(key, cancellationToken).ConfigureAwait(false);
                if (found.State != CacheState.Hit)
                {
                    found = await store.BeginAsync(key, life, current.LeaseLife, cancellationToken).ConfigureAwait(false);
                }

                if (found.State != CacheState.Held || timeProvider.GetElapsedTime(started) >= current.LeaseWait)
                {
                    return found;
                }

                await Task.Delay(Poll, timeProvider, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (IsTrouble(exception))
        {
            logger.CacheInTrouble(exception.Message);
            return CacheLookup.Miss;
        }
    }

    private async Task<bool> TryAsync(Func<Task<bool>> call)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (Exception exception) when (IsTrouble(exception))
        {
            logger.CacheInTrouble(exception.Message);
            return false;
        }
    }

    private void Keep(CacheKey key, byte[]? payload, TimeSpan life, CacheOptions current, long stamp)
    {
        if (!store.IsLocal)
        {
            local.Keep(key, payload, life < current.LocalLife ? life : current.LocalLife, stamp);
        }
    }

    private void Heard(CacheInvalidation invalidation)
    {
        if (invalidation is { Name: null, User: { } all })
        {
            local.ForgetUser(all);
        }
        else
        {
            local.Forget(CacheKey.From(invalidation));
        }
    }

    private static bool IsTrouble(Exception exception) => exception is StorageUnavailableException or RedisException;

    private static TimeSpan Jittered(TimeSpan life, double jitter) => life * (1 + (jitter * ((Random.Shared.NextDouble() * 2) - 1)));
}
