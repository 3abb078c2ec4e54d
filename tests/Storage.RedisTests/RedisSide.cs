using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Storage.RedisTests;

/// <summary>One host's connection to the server of a test class, with keys of its own so that tests do not meet.</summary>
internal sealed class RedisSide(RespServer server, TimeSpan? deadline = null) : IAsyncDisposable
{
    public RedisSide(RedisFixture redis, TimeSpan? deadline = null)
        : this(redis.Server, deadline)
    {
    }

    public RespServer Server => server;

    public RedisConnection Connection { get; } = new(
        deadline is { } hasty ? new RedisOptions { Url = server.Url, Deadline = hasty } : StoreHarness.Patient(server.Url), TimeProvider.System, NullLogger.Instance);

    public RedisKeys Keys { get; } = new($"{Guid.NewGuid():N}:");

    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
