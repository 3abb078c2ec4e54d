using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>What a validation costs Redis. Alone on its server, because it counts commands.</summary>
public sealed class HotPathTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Validate_IsOneMgetAndOnePttl_AndNoScript()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var issued = await harness.LogInAsync(StoreHarness.NewUserId());
        await redis.Server.ExecuteAsync("CONFIG", "RESETSTAT");

        for (var i = 0; i < 10; i++)
        {
            (await harness.ValidateAsync(issued)).IsValid.ShouldBeTrue();
        }

        (await redis.Server.CallsAsync("mget")).ShouldBe(10);
        (await redis.Server.CallsAsync("pttl")).ShouldBe(10);
        (await redis.Server.CallsAsync("evalsha")).ShouldBe(0);
        (await redis.Server.CallsAsync("eval")).ShouldBe(0);
        (await redis.Server.CallsAsync("get")).ShouldBe(0);
    }

    [Fact]
    public async Task Validate_IsOneFlush()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var issued = await harness.LogInAsync(StoreHarness.NewUserId());
        await harness.ValidateAsync(issued);
        var before = await redis.Server.InfoAsync("total_reads_processed");

        for (var i = 0; i < 100; i++)
        {
            await harness.ValidateAsync(issued);
        }

        // Two flushes would be 200 reads of the socket; the slack is for the client's keep-alive and this test's own INFO.
        (await redis.Server.InfoAsync("total_reads_processed") - before).ShouldBeInRange(100, 120);
    }

    [Fact]
    public async Task Validate_OfATokenThatCannotBeOurs_AsksRedisNothing()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        await harness.LogInAsync(StoreHarness.NewUserId());
        await redis.Server.ExecuteAsync("CONFIG", "RESETSTAT");

        await harness.Store.ValidateAsync("not a token", None);

        (await redis.Server.CallsAsync("mget")).ShouldBe(0);
    }

    [Fact]
    public async Task Renewal_IsOneScript_OnlyWhenItIsDue()
    {
        await using var harness = new StoreHarness(redis.Server.Url, new SessionOptions { RenewalInterval = TimeSpan.FromMilliseconds(300) });
        var issued = await harness.LogInAsync(StoreHarness.NewUserId());
        await Eventually.TrueAsync(async () => (await harness.ValidateAsync(issued)).Session!.LastSeenAt > issued.Session.LastSeenAt);
        await redis.Server.ExecuteAsync("CONFIG", "RESETSTAT");
        var (validations, renewals, seen) = (0, 0, DateTimeOffset.MinValue);

        // Until enough of either kind have been seen: on a machine that stands still each validation may be due for a renewal.
        await Eventually.TrueAsync(async () =>
        {
            var now = (await harness.ValidateAsync(issued)).Session!.LastSeenAt;
            validations++;
            renewals += now > seen && seen != DateTimeOffset.MinValue ? 1 : 0;
            if (renewals > 0 && now > seen)
            {
                (now - seen).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(295));
            }

            seen = now;
            return renewals >= 2 && validations - renewals > 1;
        });

        // The first validation may have renewed too.
        (await redis.Server.CallsAsync("evalsha")).ShouldBeInRange(renewals, renewals + 1);
        validations.ShouldBeGreaterThan(renewals + 1);
    }

    [Fact]
    public async Task LogIn_IsOneScript()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        await harness.LogInAsync(StoreHarness.NewUserId());
        await redis.Server.ExecuteAsync("CONFIG", "RESETSTAT");

        await harness.LogInAsync(StoreHarness.NewUserId());

        (await redis.Server.CallsAsync("evalsha")).ShouldBe(1);
        (await redis.Server.CallsAsync("eval")).ShouldBe(0);
    }
}
