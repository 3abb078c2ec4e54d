using Maintenance.Storage.Redis;
using StackExchange.Redis;

namespace Maintenance.Storage.Caching;

/// <summary>
/// Tells the other hosts what was invalidated, by the entry's key or the epoch's. Only a hint: a server that refuses pub/sub, or a lost message, costs a
/// host at most <see cref="CacheOptions.LocalLife"/>.
/// </summary>
internal sealed class CacheChannel(RedisKeys keys)
{
    private readonly RedisChannel name = new(keys.CacheChannel, RedisChannel.PatternMode.Literal);
    private object? attachedTo;
    private Action<CacheInvalidation>? listener;

    public void Listen(Action<CacheInvalidation> heard) => listener += heard;

    /// <summary>Subscribes, once a connection: a replaced one has lost its subscriptions.</summary>
    public void Attach(IDatabase database)
    {
        object multiplexer = database.Multiplexer;
        if (ReferenceEquals(Interlocked.Exchange(ref attachedTo, multiplexer), multiplexer))
        {
            return;
        }

        Ignore(database.Multiplexer.GetSubscriber().SubscribeAsync(name, (_, message) => Hear((string?)message)));
    }

    public void Publish(IDatabase database, CacheInvalidation invalidation) => Ignore(database.PublishAsync(name, NameOf(invalidation)));

    private string NameOf(CacheInvalidation invalidation) => invalidation switch
    {
        { Name: null, User: { } user } => keys.CacheEpoch(user),
        { Kind: StateKind.Profile, User: { } user } => keys.CacheEntry(CacheKey.Profile(user)),
        _ => keys.CacheEntry(invalidation.User, invalidation.Name!),
    };

    private void Hear(string? key)
    {
        if (listener is { } heard && keys.TryParseCache(key, out var invalidation))
        {
            heard(invalidation);
        }
    }

    private static void Ignore(Task task) => _ = task.ContinueWith(
        static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
