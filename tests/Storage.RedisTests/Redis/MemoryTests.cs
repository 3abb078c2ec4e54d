using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Redis;

/// <summary>A Redis at <c>maxmemory</c>.</summary>
public sealed class MemoryTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task FullRedis_ThatEvictsNothing_ValidatesRenewsAndRevokes_AndRefusesALogInWhole()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryPolicy = "noeviction" });
        await using var harness = new StoreHarness(server.Url, new SessionOptions { RenewalInterval = TimeSpan.FromMilliseconds(1) });
        var issued = await harness.LogInAsync("u");
        var revoked = await harness.LogInAsync("u");
        var mine = await harness.LogInAsync("w");
        var others = await harness.LogInAsync("w");
        var lost = await harness.LogInAsync("x");
        await server.ExecuteAsync("DEL", harness.IndexKey("x"));
        // So that the script has nothing else to remove before it must set the generation.
        await server.ExecuteAsync("SET", harness.IndexKey("x"), "not an index");
        await FillAsync(server);
        var keys = await server.KeysAsync();

        (await Should.ThrowAsync<StorageUnavailableException>(() => harness.LogInAsync("new"))).Reason.ShouldBe(UnavailableReason.OutOfMemory);
        (await Should.ThrowAsync<StorageUnavailableException>(() => harness.LogInAsync("u"))).Reason.ShouldBe(UnavailableReason.OutOfMemory);
        (await Should.ThrowAsync<StorageUnavailableException>(() => harness.Store.RotateAsync(issued.Token.Value, new SessionChanges(), None))).Reason
            .ShouldBe(UnavailableReason.OutOfMemory);
        (await server.KeysAsync()).ShouldBe(keys);
        (await server.IntegerAsync("ZCARD", harness.IndexKey("u"))).ShouldBe(2);

        await Eventually.TrueAsync(async () => (await harness.ValidateAsync(issued)).Session!.LastSeenAt > issued.Session.LastSeenAt);
        (await harness.Store.ListAsync("u", None)).Count.ShouldBe(2);
        (await harness.Store.RevokeAsync("u", revoked.Token.Id, None)).ToBoolean().ShouldBeTrue();
        (await harness.Store.RevokeAllAsync("x", null, None)).KeptSession.ShouldBeFalse();
        (await harness.Store.RevokeAllAsync("w", mine.Token.Id, None)).ShouldBe(new RevokedSessions(1, true));

        (await harness.ValidateAsync(revoked)).IsValid.ShouldBeFalse();
        (await harness.ValidateAsync(lost)).IsValid.ShouldBeFalse();
        (await harness.ValidateAsync(others)).IsValid.ShouldBeFalse();
        (await harness.ValidateAsync(mine)).IsValid.ShouldBeTrue();
        (await harness.ValidateAsync(issued)).IsValid.ShouldBeTrue();
    }

    [Fact]
    public async Task EvictingRedis_UnderPressure_NeverValidatesWhatWasRevoked()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryPolicy = "allkeys-lru" });
        await using var harness = new StoreHarness(server.Url);
        var users = Enumerable.Range(0, 100).Select(_ => StoreHarness.NewUserId()).ToList();
        var sessions = await Task.WhenAll(users.SelectMany(user => new[] { harness.LogInAsync(user), harness.LogInAsync(user) }));
        // Half of the users lost their index before; their sessions are orphans that only the generation ends.
        await server.ExecuteManyAsync(users.Where((_, i) => i % 2 == 0).Select(user => new[] { "DEL", harness.IndexKey(user) }));
        await Task.WhenAll(users.Select(user => harness.Store.RevokeAllAsync(user, null, None)));
        var used = await server.InfoAsync("used_memory");
        await server.ExecuteAsync("CONFIG", "SET", "maxmemory", $"{used + 200_000}");
        var filler = new string('x', 1000);

        for (var round = 0; round < 10; round++)
        {
            await server.ExecuteManyAsync(Enumerable.Range(0, 200).Select(i => new[] { "SET", $"filler:{round}:{i}", filler, "EX", "600" }));
            // Log-ins make new generations where the old ones have been evicted.
            await Task.WhenAll(users.Where((_, i) => i % 10 == round).Select(user => harness.LogInAsync(user)));
            foreach (var session in sessions)
            {
                (await harness.ValidateAsync(session)).IsValid.ShouldBeFalse();
            }
        }

        (await server.InfoAsync("evicted_keys")).ShouldBeGreaterThan(0);
    }

    /// <summary>Half of what is in use: no removal in the test makes room enough for a write.</summary>
    private static async Task FillAsync(RedisServer server) =>
        await server.ExecuteAsync("CONFIG", "SET", "maxmemory", $"{await server.InfoAsync("used_memory") / 2}");
}
