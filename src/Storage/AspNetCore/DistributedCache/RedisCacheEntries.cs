using Maintenance.Storage.Caching;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.AspNetCore.DistributedCache;

/// <summary>
/// Entries of <c>IDistributedCache</c> in Redis, sliding and absolute expiry on Redis's clock, one script a call. Keys are hashed, because hosts put
/// session ids into them.
/// </summary>
internal sealed class RedisCacheEntries(
    RedisConnection connection, RedisKeys keys, IOptionsMonitor<DistributedCacheOptions> options, TimeProvider timeProvider)
{
    private const int MaxKeyBytes = 4096;
    private static readonly RedisScript SetScript = RedisScript.Load(typeof(RedisCacheEntries).Assembly, "AspNetCore/DistributedCache/set_entry.lua");
    private static readonly RedisScript ReadScript = RedisScript.Load(typeof(RedisCacheEntries).Assembly, "AspNetCore/DistributedCache/read_entry.lua");

    public async Task<byte[]?> GetAsync(string key, CancellationToken cancellationToken) =>
        (byte[]?)await connection.EvaluateAsync(ReadScript, [KeyOf(key)], [1], cancellationToken).ConfigureAwait(false);

    public async Task<bool> RefreshAsync(string key, CancellationToken cancellationToken) =>
        !(await connection.EvaluateAsync(ReadScript, [KeyOf(key)], [0], cancellationToken).ConfigureAwait(false)).IsNull;

    public async Task<bool> SetAsync(string key, byte[] value, DistributedCacheEntryOptions entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(entry);
        var current = options.CurrentValue;
        if (value.Length > current.MaxBytes)
        {
            throw new ArgumentException(
                $"The value takes {value.Length} bytes; at most {current.MaxBytes} are stored ({DistributedCacheOptions.Section}:{nameof(DistributedCacheOptions.MaxBytes)}).",
                nameof(value));
        }

        // A point in time is the caller's clock; Redis gets what is left of it.
        var life = entry.AbsoluteExpirationRelativeToNow ?? (entry.AbsoluteExpiration - timeProvider.GetUtcNow());
        if (life <= TimeSpan.Zero)
        {
            throw new ArgumentException("The absolute expiration is in the past.", nameof(entry));
        }

        if (life is null && entry.SlidingExpiration is null)
        {
            life = current.DefaultLife;
        }

        await connection.EvaluateAsync(
            SetScript, [KeyOf(key)], [Milliseconds(entry.SlidingExpiration), Milliseconds(life), value], cancellationToken).ConfigureAwait(false);
        return true;
    }

    public Task<bool> RemoveAsync(string key, CancellationToken cancellationToken) =>
        connection.CallAsync(database => database.KeyDeleteAsync(KeyOf(key)), cancellationToken);

    private static long Milliseconds(TimeSpan? span) => span is { } given ? (long)Math.Ceiling(given.TotalMilliseconds) : 0;

    private RedisKey KeyOf(string key) => keys.CacheEntry(CacheKey.Of($"distributed/{OpaqueId.Of(key, MaxKeyBytes)}"));
}
