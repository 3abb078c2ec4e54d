using Maintenance.Testing;

namespace Maintenance.Worker.RedisTests.SessionCleanup;

/// <summary>One server for every class about the cleanup: their tests empty it, so they do not run beside each other.</summary>
[CollectionDefinition(Name)]
public sealed class SessionCleanupCollection : ICollectionFixture<RedisFixture>
{
    public const string Name = "session cleanup";
}

/// <summary>Before each test the server is empty.</summary>
public abstract class SessionCleanupTestBase(RedisFixture redis) : IAsyncLifetime
{
    private protected SweepHarness Sweep { get; private set; } = null!;

    protected RedisServer Server => redis.Server;

    public async Task InitializeAsync()
    {
        await Server.FlushAllAsync();
        Sweep = new SweepHarness(Server);
    }

    public Task DisposeAsync() => Sweep.DisposeAsync().AsTask();

    protected async Task PersistAsync(params string[] keys)
    {
        foreach (var key in keys)
        {
            (await Server.IntegerAsync("PERSIST", key)).ShouldBe(1);
        }
    }
}
