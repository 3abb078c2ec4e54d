using Maintenance.Storage.Denylist;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Denylist;

public sealed class MemoryTokenDenylistTests : TokenDenylistContract
{
    private readonly List<MemoryTokenDenylist> stores = [];

    public override Task DisposeAsync()
    {
        stores.ForEach(store => store.Dispose());
        return Task.CompletedTask;
    }

    protected override ITokenDenylist CreateStore() => Create(new MemoryOptions(), TimeProvider.System);

    [Fact]
    public async Task Deny_RefusesAtTheCapAndForgetsNothing()
    {
        var store = Create(new MemoryOptions { MaxEntriesPerKind = 2 }, TimeProvider.System);
        var (first, second, third) = (NewId(), NewId(), NewId());
        await store.DenyAsync(first, Now.AddHours(1), null, None);
        await store.DenyAsync(second, Now.AddHours(1), null, None);

        var refused = await Should.ThrowAsync<StorageUnavailableException>(() => store.DenyAsync(third, Now.AddHours(1), null, None));

        refused.Reason.ShouldBe(UnavailableReason.OutOfMemory);
        (await store.AreDeniedAsync([first, second], None)).ShouldBe([true, true]);
        (await store.DenyAsync(first, Now.AddHours(2), null, None)).ToBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Entries_LeaveByTheSweepWithoutBeingRead()
    {
        var clock = new ManualTimeProvider();
        var store = Create(new MemoryOptions(), clock);
        await store.DenyAsync(NewId(), clock.GetUtcNow().AddSeconds(10), null, None);
        store.Count.ShouldBe(1);

        clock.Advance(TimeSpan.FromSeconds(61));

        store.Count.ShouldBe(0);
    }

    private MemoryTokenDenylist Create(MemoryOptions bounds, TimeProvider clock)
    {
        var store = new MemoryTokenDenylist(Options, new FixedOptions<MemoryOptions>(bounds), clock);
        stores.Add(store);
        return store;
    }
}
