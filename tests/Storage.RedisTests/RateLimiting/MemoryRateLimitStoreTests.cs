using Maintenance.Storage.Memory;
using Maintenance.Storage.RateLimiting;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.RateLimiting;

public sealed class MemoryRateLimitStoreTests : RateLimitStoreContract
{
    private readonly List<MemoryRateLimitStore> stores = [];

    public override Task DisposeAsync()
    {
        stores.ForEach(store => store.Dispose());
        return Task.CompletedTask;
    }

    protected override IRateLimitStore CreateStore() => Create(new MemoryOptions(), TimeProvider.System);

    [Fact]
    public async Task Acquire_DeniesNewSubjectsAtTheCap_UntilAPlaceIsFree()
    {
        var clock = new ManualTimeProvider();
        var limits = Create(new MemoryOptions { MaxEntriesPerKind = 1 }, clock);
        await limits.AcquireAsync(new("slow", "first"), None);

        var refused = await limits.AcquireAsync(new("slow", "second"), None);

        refused.Decision.ShouldBe(RateLimitDecision.Denied);
        refused.RetryAfter.ShouldBe(TimeSpan.FromDays(1) / Burst);
        (await limits.AcquireAsync(new("slow", "first"), None)).IsAllowed.ShouldBeTrue();
        limits.Count.ShouldBe(1);
        clock.Advance(TimeSpan.FromDays(1));
        (await limits.AcquireAsync(new("slow", "second"), None)).IsAllowed.ShouldBeTrue();
    }

    [Fact]
    public async Task Acquire_GrantsAShareOnly_WhileRedisIsAway()
    {
        var limits = Create(new MemoryOptions(), TimeProvider.System, inOutage: true);

        var results = new List<RateLimitResult>();
        for (var i = 0; i < Burst; i++)
        {
            results.Add(await limits.AcquireAsync(new("slow", "s"), None));
        }

        results.Count(result => result.IsAllowed).ShouldBe(Burst / 2);
        (await limits.AcquireAsync(new("one", "s"), None)).IsAllowed.ShouldBeTrue();
    }

    private MemoryRateLimitStore Create(MemoryOptions bounds, TimeProvider clock, bool inOutage = false)
    {
        var store = new MemoryRateLimitStore(Options, new FixedOptions<MemoryOptions>(bounds), clock, inOutage);
        stores.Add(store);
        return store;
    }
}
