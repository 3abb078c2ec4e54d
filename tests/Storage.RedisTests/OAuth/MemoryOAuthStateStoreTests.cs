using Maintenance.Storage.Memory;
using Maintenance.Storage.OAuth;
using Maintenance.Storage.Redis;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.OAuth;

public sealed class MemoryOAuthStateStoreTests : OAuthStateStoreContract
{
    private readonly List<MemoryOAuthStateStore> stores = [];

    public override Task DisposeAsync()
    {
        stores.ForEach(store => store.Dispose());
        return Task.CompletedTask;
    }

    protected override IOAuthStateStore CreateStore() => Create(new MemoryOptions(), TimeProvider.System);

    [Fact]
    public async Task Create_RefusesAtTheCapAndForgetsNoLogInThatIsUnderWay()
    {
        var clock = new ManualTimeProvider();
        var small = Create(new MemoryOptions { MaxEntriesPerKind = 1 }, clock);
        var kept = await small.CreateAsync(New(), None);

        (await Should.ThrowAsync<StorageUnavailableException>(() => small.CreateAsync(New(), None))).Reason.ShouldBe(UnavailableReason.OutOfMemory);

        (await small.RedeemAsync("github", kept.State, kept.BrowserNonce, None)).Outcome.ShouldBe(OAuthRedemptionOutcome.Redeemed);
        await small.CreateAsync(New(), None);
        clock.Advance(TimeSpan.FromMinutes(11));
        small.Count.ShouldBe(0);
    }

    private MemoryOAuthStateStore Create(MemoryOptions bounds, TimeProvider clock)
    {
        var store = new MemoryOAuthStateStore(Options, new FixedOptions<MemoryOptions>(bounds), clock);
        stores.Add(store);
        return store;
    }
}
