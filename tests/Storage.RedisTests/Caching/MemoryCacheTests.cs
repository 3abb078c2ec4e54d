using Maintenance.Storage.Caching;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Caching;

public sealed class MemoryCacheTests : CacheContract
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new MemoryAuthBed(new ManualTimeProvider(), settings);

    [Fact]
    public async Task Store_NeverGrowsPastItsCap()
    {
        await using var bed = Bed(("Storage:Memory:MaxEntriesPerKind", "10"));
        var source = new Source();
        for (var i = 0; i < 50; i++)
        {
            (await source.GetAsync(bed, NewKey())).Value.ShouldBe(source.Value);
        }

        bed.Get<MemoryCacheStore>().Count.ShouldBe(10);
        await bed.PassAsync(TimeSpan.FromMinutes(40));
        bed.Get<MemoryCacheStore>().Count.ShouldBe(0);
    }
}
