using Maintenance.Storage.Memory;
using Maintenance.Testing;

namespace Maintenance.Storage.Tests.Memory;

public sealed class ExpiringMapTests : IDisposable
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly ManualTimeProvider clock = new();
    private readonly ExpiringMap<string, int> map;

    public ExpiringMapTests() => map = new ExpiringMap<string, int>(3, clock);

    public void Dispose() => map.Dispose();

    [Fact]
    public void TryGet_ReturnsAValueUntilItsLifeEnds()
    {
        map.TrySet("a", 1, Minute);
        clock.Advance(Minute - TimeSpan.FromTicks(1));
        map.TryGet("a", out var value, out var left).ShouldBeTrue();
        value.ShouldBe(1);
        left.ShouldBe(TimeSpan.FromTicks(1));

        clock.Advance(TimeSpan.FromTicks(1));

        map.TryGet("a", out _).ShouldBeFalse();
    }

    [Fact]
    public void Sweep_RemovesExpiredEntriesThatNobodyReads()
    {
        map.TrySet("a", 1, TimeSpan.FromSeconds(1));
        map.TrySet("b", 2, TimeSpan.FromHours(1));

        clock.Advance(TimeSpan.FromSeconds(61));

        map.Count.ShouldBe(1);
    }

    [Fact]
    public void Add_RefusesAtTheCapAndKeepsWhatIsThere()
    {
        foreach (var key in (string[])["a", "b", "c"])
        {
            map.Add(key, 1, Minute).ShouldBe(MapAddition.Added);
        }

        map.Add("d", 1, Minute).ShouldBe(MapAddition.Full);
        map.TrySet("a", 2, Minute).ShouldBeTrue();

        map.Count.ShouldBe(3);
        map.TryGet("d", out _).ShouldBeFalse();
    }

    [Fact]
    public void Add_TakesThePlaceOfAnExpiredEntryBeforeTheSweep()
    {
        map.Add("a", 1, TimeSpan.FromSeconds(1));
        map.Add("b", 1, Minute);
        map.Add("c", 1, Minute);
        clock.Advance(TimeSpan.FromSeconds(2));

        map.Add("d", 1, Minute).ShouldBe(MapAddition.Added);
    }

    [Fact]
    public void TrySet_LetsGoOfTheSoonestExpiry_WhenTheMapIsACache()
    {
        using var cache = new ExpiringMap<string, int>(2, clock, whenFull: WhenFull.DropSoonest);
        cache.TrySet("long", 1, TimeSpan.FromHours(1));
        cache.TrySet("short", 1, Minute);

        cache.TrySet("new", 1, Minute).ShouldBeTrue();

        cache.Count.ShouldBe(2);
        cache.TryGet("short", out _).ShouldBeFalse();
        cache.TryGet("long", out _).ShouldBeTrue();
    }

    [Fact]
    public void TrySet_MovesTheExpiryOfAKeyThatIsThere()
    {
        map.TrySet("a", 1, Minute);
        map.TrySet("a", 2, TimeSpan.FromHours(1));
        clock.Advance(TimeSpan.FromMinutes(5));
        map.TryGet("a", out var value).ShouldBeTrue();
        value.ShouldBe(2);

        map.TrySet("a", 3, TimeSpan.Zero);

        map.Count.ShouldBe(0);
    }

    [Fact]
    public void Add_KeepsALiveValue()
    {
        map.Add("a", 1, Minute);

        map.Add("a", 2, Minute).ShouldBe(MapAddition.Exists);

        map.TryGet("a", out var value).ShouldBeTrue();
        value.ShouldBe(1);
    }

    [Fact]
    public async Task Compute_IsOneStepForConcurrentCallers()
    {
        map.TrySet("n", 0, Minute);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                map.Compute("n", 0, (ref MapSlot<int> slot, int _) => slot.TrySet(slot.Value + 1, slot.TimeToLive));
            }
        })));

        map.TryGet("n", out var count).ShouldBeTrue();
        count.ShouldBe(8000);
    }

    [Fact]
    public async Task TryTake_GivesAValueToOneOfManyCallers()
    {
        map.TrySet("once", 7, Minute);

        var won = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() => map.TryTake("once", out var _))));

        won.Count(taken => taken).ShouldBe(1);
    }

    [Fact]
    public void RemoveWhere_RemovesWhatMatchesAndNothingElse()
    {
        map.TrySet("a:1", 1, Minute);
        map.TrySet("a:2", 1, Minute);
        map.TrySet("b:1", 1, Minute);

        map.RemoveWhere((key, _) => key.StartsWith("a:", StringComparison.Ordinal)).ShouldBe(2);

        map.Snapshot().Select(entry => entry.Key).ShouldBe(["b:1"]);
    }
}
