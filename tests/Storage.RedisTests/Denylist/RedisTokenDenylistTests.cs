using Maintenance.Storage.Denylist;
using Maintenance.Storage.Redis;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Denylist;

public sealed class RedisTokenDenylistTests(RedisFixture redis) : TokenDenylistContract, IClassFixture<RedisFixture>
{
    private readonly RedisSide side = new(redis);

    public override async Task DisposeAsync() => await side.DisposeAsync();

    protected override ITokenDenylist CreateStore() => new RedisTokenDenylist(side.Connection, side.Keys, Options);

    [Fact]
    public async Task Deny_StoresNoTokenAndAlwaysATimeToLive()
    {
        const string token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";
        var id = DenylistId.OfToken(token);
        await CreateStore().DenyAsync(id, Now.AddMilliseconds(90_500), null, None);

        var key = side.Keys.DenylistEntry(id);
        side.Keys.TryParse(key, out var parsed).ShouldBeTrue();
        parsed.Kind.ShouldBe(StateKind.DenylistEntry);
        var stored = $"{key} {await side.Server.StringAsync("GET", key)}";
        token.Split('.').ShouldAllBe(part => !stored.Contains(part, StringComparison.Ordinal));
        (await side.Server.IntegerAsync("PTTL", key)).ShouldBeInRange(1, 90_501);
    }

    [Fact]
    public async Task IsDenied_DeniesWhateverStandsUnderTheKey()
    {
        var store = CreateStore();
        var hash = NewId();
        var newer = NewId();
        await side.Server.ExecuteAsync("HSET", side.Keys.DenylistEntry(hash), "a", "b");
        await side.Server.ExecuteAsync("SET", side.Keys.DenylistEntry(newer), "2;something newer");

        (await store.AreDeniedAsync([hash, newer, NewId()], None)).ShouldBe([true, true, false]);
        (await store.FindAsync(hash, None)).ShouldBe(new DenylistEntry(null, null, null));
    }

    [Fact]
    public async Task Deny_MendsAnEntryThatHasNoTimeToLive()
    {
        var id = NewId();
        var key = side.Keys.DenylistEntry(id);
        await CreateStore().DenyAsync(id, Now.AddHours(1), "why", None);
        await side.Server.ExecuteAsync("PERSIST", key);

        await CreateStore().DenyAsync(id, Now.AddHours(1), "why", None);

        (await side.Server.IntegerAsync("PTTL", key)).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task EveryCall_SaysUnavailable_WhenRedisDoesNotAnswer()
    {
        await using var server = await RedisServer.StartAsync();
        await using var connection = new RedisConnection(
            new RedisOptions { Url = server.Url, Deadline = TimeSpan.FromMilliseconds(250) }, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        await connection.ConnectAsync(None);
        var store = new RedisTokenDenylist(connection, side.Keys, Options);
        await server.KillAsync();

        await Should.ThrowAsync<StorageUnavailableException>(() => store.IsDeniedAsync(NewId(), None));
        await Should.ThrowAsync<StorageUnavailableException>(() => store.AreDeniedAsync([NewId()], None));
        await Should.ThrowAsync<StorageUnavailableException>(() => store.DenyAsync(NewId(), null, null, None));
    }
}
