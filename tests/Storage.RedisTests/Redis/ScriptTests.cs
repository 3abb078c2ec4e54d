using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Redis;

/// <summary>Scripts on servers that forget them or refuse the SCRIPT command.</summary>
public sealed class ScriptTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task ScriptFlush_UnderAHundredConcurrentCalls_FailsNone()
    {
        await using var server = await RedisServer.StartAsync();
        await using var harness = new StoreHarness(server.Url, new SessionOptions { MaxSessionsPerUser = 1000 });
        await harness.LogInAsync("u");

        for (var round = 0; round < 5; round++)
        {
            var flush = server.ExecuteAsync("SCRIPT", "FLUSH");
            await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => harness.LogInAsync("u")));
            await flush;
        }

        (await harness.Store.CountAsync("u", None)).ShouldBe(501);
    }

    [Fact]
    public async Task ServerThatRefusesAdministration_IsEnough()
    {
        await using var server = await RedisServer.StartAsync(
            new RedisServerOptions { RefusedCommands = ["SCRIPT", "CONFIG", "CLIENT", "INFO", "CLUSTER", "SLOWLOG", "LATENCY", "MONITOR"] });
        await using var harness = new StoreHarness(server.Url, new SessionOptions { RenewalInterval = TimeSpan.Zero });
        var issued = await harness.LogInAsync("u");

        (await harness.ValidateAsync(issued)).IsValid.ShouldBeTrue();
        var rotated = (await harness.Store.RotateAsync(issued.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        (await harness.Store.RevokeAsync("u", rotated.Token.Id, None)).ToBoolean().ShouldBeTrue();
        await harness.Store.RevokeAllAsync("u", null, None);
        (await harness.Store.CountAsync("u", None)).ShouldBe(0);
    }
}
