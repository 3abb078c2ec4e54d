using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Redis;

/// <summary>A primary, its replica and three Sentinels, all real.</summary>
public sealed class SentinelTests : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;
    // Sentinels that find that their machine stood still do nothing for half a minute.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(150);

    private readonly List<SentinelServer> sentinels = [];
    private RedisServer primary = null!;
    private RedisServer replica = null!;

    public async Task InitializeAsync()
    {
        primary = await RedisServer.StartAsync();
        replica = await RedisServer.StartAsync(new RedisServerOptions { ConfigurationLines = [$"replicaof 127.0.0.1 {primary.Port}"] });
        for (var i = 0; i < 3; i++)
        {
            // Nobody is taken for dead before the test wants it.
            sentinels.Add(await SentinelServer.StartAsync(primary, quorum: 2, TimeSpan.FromMinutes(5)));
        }

        // They find the replica, and each other, through the primary.
        foreach (var sentinel in sentinels)
        {
            await Eventually.TrueAsync(
                async () => (await sentinel.StringAsync("INFO", "sentinel"))!.Contains("slaves=1,sentinels=3", StringComparison.Ordinal), Patience);
        }
    }

    public async Task DisposeAsync()
    {
        foreach (var server in sentinels.Cast<RespServer>().Append(replica).Append(primary))
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task Sessions_GoOnWhereTheSentinelsPutThePrimary_WhenTheOldOneIsKilled_AndWhenItComesBack()
    {
        await using var harness = new StoreHarness(Options());
        var issued = await LogInAsync(harness);
        await primary.ReplicatedToAsync(replica);
        await DownAfterAsync(TimeSpan.FromSeconds(2));

        await primary.KillAsync();

        // Denying is all that may happen in between; the first answer must not be a wrong one.
        bool? valid = null;
        await Eventually.TrueAsync(() => AnswersAsync(async () => valid = (await harness.ValidateAsync(issued)).IsValid), Patience);
        valid.ShouldBe(true);
        // Asked again: a Sentinel closes the connections of whom it promotes, this test's too.
        await Eventually.TrueAsync(async () => (await replica.StringAsync("INFO", "replication"))!.Contains("role:master", StringComparison.Ordinal), Patience);
        await Eventually.TrueAsync(() => AnswersAsync(() => harness.Store.RevokeAsync("u", issued.Token.Id, None)), Patience);

        await primary.RestartAsync();
        await Eventually.TrueAsync(async () => (await primary.StringAsync("INFO", "replication"))!.Contains("role:slave", StringComparison.Ordinal), Patience);
        await Eventually.TrueAsync(() => AnswersAsync(async () => valid = (await harness.ValidateAsync(issued)).IsValid), Patience);
        valid.ShouldBe(false, "it was revoked at the new primary");
        await Eventually.TrueAsync(() => AnswersAsync(() => harness.LogInAsync("v")), Patience);
    }

    [Fact]
    public async Task Connection_RefusesAReplica_ThatASentinelStillTakesForThePrimary()
    {
        // The Sentinels stand still, so that they name the old primary on and on.
        await using var harness = new StoreHarness(Options());
        await LogInAsync(harness);
        await DownAfterAsync(TimeSpan.FromMinutes(10));

        await primary.ExecuteAsync("REPLICAOF", "127.0.0.1", $"{replica.Port}");
        await using var second = new StoreHarness(Options());

        (await Should.ThrowAsync<StorageUnavailableException>(() => second.LogInAsync("u"))).Reason
            .ShouldBeOneOf(UnavailableReason.Connection, UnavailableReason.NotServing);
    }

    [Fact]
    public async Task WrongServiceName_IsNamedInTheError()
    {
        var options = Options();
        options.Sentinel.ServiceName = "nobody";
        await using var harness = new StoreHarness(options);

        // On a busy machine the first attempt may only have run out of time.
        await Eventually.SucceedsAsync(async () =>
            (await Should.ThrowAsync<StorageUnavailableException>(() => harness.LogInAsync("u"))).ToString().ShouldContain("Storage:Redis:Sentinel:ServiceName"));
    }

    private async Task DownAfterAsync(TimeSpan silence)
    {
        foreach (var sentinel in sentinels)
        {
            await sentinel.ExecuteAsync("SENTINEL", "SET", "mymaster", "down-after-milliseconds", $"{silence.TotalMilliseconds}");
        }
    }

    private static async Task<IssuedSession> LogInAsync(StoreHarness harness)
    {
        IssuedSession? issued = null;
        await Eventually.TrueAsync(() => AnswersAsync(async () => issued = await harness.LogInAsync("u")), Patience);
        return issued!;
    }

    private static async Task<bool> AnswersAsync(Func<Task> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (StorageUnavailableException)
        {
            return false;
        }
    }

    private RedisOptions Options() => new()
    {
        Deadline = TimeSpan.FromSeconds(20),
        // One that is down stands first.
        Sentinel = new RedisSentinelOptions { Endpoints = [$"127.0.0.1:{FreePort.Next()}", .. sentinels.Select(sentinel => sentinel.Endpoint)] },
    };
}
