using Maintenance.Storage.Redis;
using StackExchange.Redis;

namespace Maintenance.Storage.Caching;

/// <summary>
/// Cached values in Redis. A value of a user names the user's epoch, a random key in the same slot; removing that key invalidates all of the user,
/// also what is being loaded. A missing epoch is a miss, so eviction loses values and never revives one.
/// </summary>
public sealed class RedisCacheStore : ICacheStore
{
    private static readonly RedisScript Begin = Load("begin");
    private static readonly RedisScript Complete = Load("complete");
    private static readonly RedisScript Abandon = Load("abandon");

    private readonly RedisConnection connection;
    private readonly RedisKeys keys;
    private readonly CacheChannel channel;

    /// <summary>Creates the store.</summary>
    public RedisCacheStore(RedisConnection connection, RedisKeys keys)
    {
        this.connection = connection;
        this.keys = keys;
        channel = new CacheChannel(keys);
    }

    /// <inheritdoc/>
    public bool IsLocal => false;

    /// <inheritdoc/>
    public Task<CacheLookup> ReadAsync(CacheKey key, CancellationToken cancellationToken) => connection.CallAsync(
        async database =>
        {
            channel.Attach(database);
            var name = keys.CacheEntry(key);
            var value = database.StringGetAsync(name);
            var left = database.KeyTimeToLiveAsync(name);
            var epoch = key.User is { } user ? database.StringGetAsync(keys.CacheEpoch(user)) : Task.FromResult<RedisValue>("");
            await Task.WhenAll(value, left, epoch).ConfigureAwait(false);
            var record = (byte[]?)await value.ConfigureAwait(false);
            var current = (string?)await epoch.ConfigureAwait(false);
            var timeToLive = await left.ConfigureAwait(false) ?? TimeSpan.Zero;
            return record is null || current is null ? CacheLookup.Miss : CacheRecord.Read(record, current, timeToLive);
        },
        cancellationToken);

    /// <inheritdoc/>
    public async Task<CacheLookup> BeginAsync(CacheKey key, TimeSpan life, TimeSpan lease, CancellationToken cancellationToken)
    {
        var token = CacheRecord.NewToken();
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            Begin,
            KeysOf(key),
            [token, Milliseconds(lease), CacheRecord.NewToken(), Milliseconds(life + lease)],
            cancellationToken).ConfigureAwait(false));
        switch ((string?)reply[0])
        {
            case "leased":
                return new CacheLookup(CacheState.Leased, Lease: new CacheLease(key, token, (string)reply[1]!));
            case "hit":
                var record = (byte[])reply[1]!;
                // The script compared the epoch; here it is only as long as it is.
                var epoch = key.User is null ? "" : System.Text.Encoding.ASCII.GetString(record, 2, token.Length);
                return CacheRecord.Read(record, epoch, TimeSpan.FromMilliseconds(Math.Max(0, (long)reply[2])));
            default:
                return CacheLookup.Held;
        }
    }

    /// <inheritdoc/>
    public async Task<bool> CompleteAsync(CacheLease lease, byte[]? payload, TimeSpan life, CancellationToken cancellationToken) =>
        (int)await connection.EvaluateAsync(
            Complete,
            KeysOf(lease.Key),
            [CacheRecord.Lease(lease), lease.Epoch, CacheRecord.Value(lease.Epoch, payload), Milliseconds(life)],
            cancellationToken).ConfigureAwait(false) == 1;

    /// <inheritdoc/>
    public async Task<bool> AbandonAsync(CacheLease lease, CancellationToken cancellationToken) =>
        (int)await connection.EvaluateAsync(Abandon, [keys.CacheEntry(lease.Key)], [CacheRecord.Lease(lease)], cancellationToken).ConfigureAwait(false) == 1;

    /// <inheritdoc/>
    public Task<bool> RemoveAsync(CacheKey key, CancellationToken cancellationToken) =>
        RemoveAsync([keys.CacheEntry(key)], new CacheInvalidation(key.Kind, key.User, key.Name), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RemoveUserAsync(UserReference user, CancellationToken cancellationToken) => RemoveAsync(
        [keys.CacheEpoch(user), keys.CacheEntry(CacheKey.Profile(user))], new CacheInvalidation(StateKind.Cache, user, null), cancellationToken);

    /// <inheritdoc/>
    public void Listen(Action<CacheInvalidation> heard) => channel.Listen(heard);

    private Task<bool> RemoveAsync(RedisKey[] names, CacheInvalidation invalidation, CancellationToken cancellationToken) => connection.CallAsync(
        async database =>
        {
            var removed = database.KeyDeleteAsync(names);
            // Behind the removal on the same connection: who hears it finds the value gone.
            channel.Publish(database, invalidation);
            return await removed.ConfigureAwait(false) > 0;
        },
        cancellationToken);

    private RedisKey[] KeysOf(CacheKey key) => key.User is { } user ? [keys.CacheEntry(key), keys.CacheEpoch(user)] : [keys.CacheEntry(key)];

    private static long Milliseconds(TimeSpan life) => Math.Max(1, (long)Math.Ceiling(life.TotalMilliseconds));

    private static RedisScript Load(string name) => RedisScript.Load(typeof(RedisCacheStore).Assembly, $"Caching/{name}.lua");
}
