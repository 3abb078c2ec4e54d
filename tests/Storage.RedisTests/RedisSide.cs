using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Storage.RedisTests;

/// <summary>One host's connection to the Redis of a test class, with keys of its own so that tests do not meet.</summary>
internal sealed class RedisSide(RedisFixture redis, TimeSpan? deadline = null) : IAsyncDisposable
{
    public RedisServer Server => redis.Server;

    public RedisConnection Connection { get; } = new(
        new RedisOptions { Url = redis.Server.Url, Deadline = deadline ?? TimeSpan.FromSeconds(5) }, TimeProvider.System, NullLogger.Instance);

    public RedisKeys Keys { get; } = new($"{Guid.NewGuid():N}:");

    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
