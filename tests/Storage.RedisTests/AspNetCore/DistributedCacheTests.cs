using Maintenance.Storage.AspNetCore.DistributedCache;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Storage.RedisTests.AspNetCore;

public sealed class DistributedCacheTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly byte[] Bytes = [0, 1, (byte)'\n', 255];

    [Fact]
    public async Task Entry_HasADefaultTtl_AHashedName_AndComesBackByteForByte_UntilItIsRemoved()
    {
        await using var host = await StartAsync(redis.Server);
        var cache = host.Get<IDistributedCache>();

        await cache.SetAsync("session/of ada", Bytes, new DistributedCacheEntryOptions());
        cache.Set("other", [], new DistributedCacheEntryOptions());

        (await cache.GetAsync("session/of ada")).ShouldBe(Bytes);
        cache.Get("other").ShouldBe([]);
        (await cache.GetAsync("none")).ShouldBeNull();
        var names = await redis.Server.KeysAsync($"{host.Prefix}*");
        names.Count.ShouldBe(2);
        foreach (var name in names)
        {
            name.ShouldNotContain("ada");
            host.Get<RedisKeys>().TryParse(name, out var parsed).ShouldBeTrue();
            parsed.Kind.ShouldBe(StateKind.Cache);
            (await redis.Server.IntegerAsync("PTTL", name)).ShouldBeInRange(1_700_000, 1_800_000);
        }

        await cache.RemoveAsync("session/of ada");
        (await cache.GetAsync("session/of ada")).ShouldBeNull();
    }

    [Fact]
    public async Task Entry_SlidesWithEveryReadAndRefresh_ButNeverBeyondItsAbsoluteEnd()
    {
        await using var host = await StartAsync(redis.Server);
        var cache = host.Get<IDistributedCache>();
        await cache.SetAsync("slides", Bytes, new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(10) });
        var slides = (await redis.Server.KeysAsync($"{host.Prefix}*")).ShouldHaveSingleItem();
        await redis.Server.ExecuteAsync("PEXPIRE", slides, "60000");
        await cache.RefreshAsync("slides");
        (await redis.Server.IntegerAsync("PTTL", slides)).ShouldBeInRange(590_000, 600_000);
        await redis.Server.ExecuteAsync("PEXPIRE", slides, "60000");
        await cache.GetAsync("slides");
        (await redis.Server.IntegerAsync("PTTL", slides)).ShouldBeInRange(590_000, 600_000);
        await cache.RemoveAsync("slides");

        await cache.SetAsync(
            "both",
            Bytes,
            new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(10), AbsoluteExpiration = TimeProvider.System.GetUtcNow().AddMinutes(2) });
        var both = (await redis.Server.KeysAsync($"{host.Prefix}*")).ShouldHaveSingleItem();
        await cache.GetAsync("both");
        (await redis.Server.IntegerAsync("PTTL", both)).ShouldBeInRange(100_000, 120_000);
    }

    [Fact]
    public async Task Entry_IsGoneAtItsAbsoluteEnd_EvenWhenItsKeyLostItsTtl()
    {
        await using var host = await StartAsync(redis.Server);
        var cache = host.Get<IDistributedCache>();
        // Longer than a busy machine stands still.
        await cache.SetAsync("short", Bytes, new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = TimeSpan.FromSeconds(8) });
        var name = (await redis.Server.KeysAsync($"{host.Prefix}*")).ShouldHaveSingleItem();
        await redis.Server.ExecuteAsync("PERSIST", name);
        (await cache.GetAsync("short")).ShouldBe(Bytes);

        await Eventually.TrueAsync(async () => await cache.GetAsync("short") is null, TimeSpan.FromSeconds(60));
        (await redis.Server.KeysAsync($"{host.Prefix}*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Set_RefusesWhatIsTooLargeOrOver_AndAnOutageIsAnErrorNotAMiss()
    {
        await using var own = await RedisServer.StartAsync();
        await using var host = await StartAsync(own);
        var cache = host.Get<IDistributedCache>();
        await Should.ThrowAsync<ArgumentException>(() => cache.SetAsync("large", new byte[(1024 * 1024) + 1], new DistributedCacheEntryOptions()));
        await Should.ThrowAsync<ArgumentException>(() => cache.SetAsync(
            "over", Bytes, new DistributedCacheEntryOptions { AbsoluteExpiration = TimeProvider.System.GetUtcNow().AddSeconds(-1) }));
        (await cache.GetAsync("large")).ShouldBeNull();
        await own.StopAsync();

        await Should.ThrowAsync<StorageUnavailableException>(() => cache.GetAsync("large"));
        Should.Throw<StorageUnavailableException>(() => cache.Get("large"));
    }

    [Fact]
    public async Task HostSessions_OfTheFramework_LiveInIt()
    {
        await using var host = await StartAsync(redis.Server);
        using var set = await host.SendAsync("/set");
        var cookie = set.Headers.GetValues("Set-Cookie").Last().Split(';')[0];

        using var got = await host.SendAsync("/get", ("Cookie", cookie));

        (await got.Content.ReadAsStringAsync()).ShouldBe("kept");
    }

    private static Task<HostOnRedis> StartAsync(RedisServer server) => HostOnRedis.StartAsync(
        server,
        services => services.AddAuthDistributedCache().AddSession(),
        app =>
        {
            app.UseSession();
            app.MapGet("/set", (HttpContext http) => http.Session.SetString("name", "kept"));
            app.MapGet("/get", (HttpContext http) => http.Session.GetString("name"));
        });
}
