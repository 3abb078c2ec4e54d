using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.RateLimiting;

public sealed class RedisRateLimitStoreTests(RedisFixture redis) : RateLimitStoreContract, IClassFixture<RedisFixture>
{
    private readonly RedisSide side = new(redis);

    public override async Task DisposeAsync() => await side.DisposeAsync();

    protected override IRateLimitStore CreateStore() => new RedisRateLimitStore(side.Connection, side.Keys, Options);

    [Fact]
    public async Task Acquire_StoresOneCellWithATimeToLiveAndNoSubject()
    {
        await Store.AcquireAsync(new("strict", "somebody@example.com"), None);
        await Store.AcquireAsync(new("strict", "somebody@example.com"), None);
        await Store.AcquireAsync(new("quick", "somebody@example.com"), None);

        var names = (await side.Server.KeysAsync($"{side.Keys.Prefix}*")).ToList();
        foreach (var name in names)
        {
            side.Keys.TryParse(name, out var parsed).ShouldBeTrue();
            parsed.Kind.ShouldBe(StateKind.RateLimit);
            name.ShouldNotContain("example");
            // The one of "quick" may be gone by now.
            var life = await side.Server.IntegerAsync("PTTL", name);
            (life is -2 or > 0 and <= 49 * 3_600_000).ShouldBeTrue($"{name}: {life}");
        }

        names.ShouldContain(name => name.Contains("rate:limit:strict:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Acquire_GoesOnWithAnEmptyCell_WhenTheStoredOneIsDamaged()
    {
        var key = side.Keys.RateLimit("one", OpaqueId.Of("s", 100));
        foreach (var damage in (string[][])[["SET", key, "garbage"], ["SET", key, "1:x:"], ["HSET", key, "a", "b"], ["SET", key, "1:9999999999999999999"]])
        {
            await side.Server.ExecuteAsync("DEL", key);
            await side.Server.ExecuteAsync(damage);
            var result = await Store.AcquireAsync(new("one", "s"), None);
            if (damage[^1].StartsWith("1:9", StringComparison.Ordinal))
            {
                // A time far ahead holds for one full bucket, not for ever.
                result.RetryAfter!.Value.ShouldBeLessThanOrEqualTo(TimeSpan.FromDays(1));
            }
            else
            {
                result.IsAllowed.ShouldBeTrue();
                (await side.Server.IntegerAsync("PTTL", key)).ShouldBeGreaterThan(0);
            }
        }
    }

    [Fact]
    public async Task Acquire_RefusesACellOfANewerFormat()
    {
        var key = side.Keys.RateLimit("one", OpaqueId.Of("s", 100));
        await side.Server.ExecuteAsync("SET", key, "2:whatever");

        await Should.ThrowAsync<UnsupportedRecordException>(() => Store.AcquireAsync(new("one", "s"), None));

        (await side.Server.StringAsync("GET", key)).ShouldBe("2:whatever");
    }

    [Fact]
    public async Task Refund_KeepsTheTimeToLive()
    {
        var key = side.Keys.RateLimit("slow", OpaqueId.Of("s", 100));
        await Store.AcquireAsync(new("slow", "s"), None);
        var charged = await Store.AcquireAsync(new("slow", "s", 5), None);

        (await Store.RefundAsync(new("slow", "s", 5), charged, None)).ShouldBeTrue();

        (await side.Server.IntegerAsync("PTTL", key)).ShouldBeGreaterThan(0);
        (await Store.PeekAsync("slow", "s", None)).ResetAfter.ShouldBe(TimeSpan.FromDays(1) / Burst, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Acquire_CountsForAllHostsTogether()
    {
        await using var other = new RedisSide(redis);
        var second = new RedisRateLimitStore(other.Connection, side.Keys, Options);

        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(
            i => Task.Run(() => (i % 2 == 0 ? Store : second).AcquireAsync(new("slow", "shared"), None))));

        results.Count(result => result.IsAllowed).ShouldBe(Burst);
    }
}
