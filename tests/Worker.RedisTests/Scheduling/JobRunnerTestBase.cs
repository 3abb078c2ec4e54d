using Maintenance.Testing;

namespace Maintenance.Worker.RedisTests.Scheduling;

/// <summary>One server for every class about the runner: their tests empty it, so they do not run beside each other.</summary>
[CollectionDefinition(Name)]
public sealed class JobRunnerCollection : ICollectionFixture<RedisFixture>
{
    public const string Name = "job runner";
}

/// <summary>Before each test the server is empty.</summary>
public abstract class JobRunnerTestBase(RedisFixture redis) : IAsyncLifetime
{
    protected static readonly DateTimeOffset Midnight = new(TimeProvider.System.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);

    protected RedisServer Server => redis.Server;

    public Task InitializeAsync() => Server.FlushAllAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    /// <summary>A replica whose runs last until it is stopped.</summary>
    private protected RunnerHarness Holder(TaskCompletionSource entered) => new(
        Server.Url,
        async (_, cancellationToken) =>
        {
            entered.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        },
        "holder");
}
