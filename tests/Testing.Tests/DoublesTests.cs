using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Maintenance.Testing.Tests;

public sealed class DoublesTests
{
    [Fact]
    public async Task Eventually_NamesConditionReasonAndLastFailure_WhenTheDeadlinePasses()
    {
        var never = false;
        var unmet = await Should.ThrowAsync<TimeoutException>(
            () => Eventually.TrueAsync(() => never, TimeSpan.FromMilliseconds(60), "the cat sleeps"));
        var failing = await Should.ThrowAsync<TimeoutException>(
            () => Eventually.SucceedsAsync(() => throw new InvalidDataException("seven"), TimeSpan.FromMilliseconds(60)));

        unmet.Message.ShouldContain("() => never");
        unmet.Message.ShouldContain("the cat sleeps");
        failing.Message.ShouldContain("InvalidDataException: seven");
    }

    [Fact]
    public async Task Eventually_GivesUp_WhenTheConditionItselfHangs() =>
        await Should.ThrowAsync<TimeoutException>(
            () => Eventually.TrueAsync(() => new TaskCompletionSource<bool>().Task, TimeSpan.FromMilliseconds(60)));

    [Fact]
    public async Task Eventually_ReturnsTheFirstValue()
    {
        var calls = 0;
        (await Eventually.NotNullAsync(() => Task.FromResult(++calls < 3 ? null : "found"))).ShouldBe("found");
        calls.ShouldBe(3);
    }

    [Fact]
    public void LogCollector_KeepsEventIdValuesAndError()
    {
        using var logs = new LogCollector();
        var error = new InvalidDataException("bad");

        logs.For<DoublesTests>().Log(LogLevel.Warning, new EventId(1007, "Odd"), error, "{Count} odd keys", 4);

        var entry = logs.WithEvent(1007).ShouldHaveSingleItem();
        entry.Level.ShouldBe(LogLevel.Warning);
        entry.Message.ShouldBe("4 odd keys");
        entry.Values["Count"].ShouldBe(4);
        entry.Error.ShouldBe(error);
        entry.Category.ShouldEndWith(nameof(DoublesTests));
    }

    [Fact]
    public void MetricCollector_SeesOnlyItsFactoryAndInstrument()
    {
        using var mine = new TestMeterFactory();
        using var other = new TestMeterFactory();
        using var collector = new MetricCollector<long>(mine, "cats");
        Counter<long> Counter(IMeterFactory factory, string name) => factory.Create("zoo").CreateCounter<long>(name);

        Counter(mine, "cats").Add(2, new KeyValuePair<string, object?>("colour", "red"));
        Counter(mine, "cats").Add(3, new KeyValuePair<string, object?>("colour", "grey"));
        Counter(mine, "dogs").Add(5);
        Counter(other, "cats").Add(7);

        collector.Sum().ShouldBe(5);
        collector.Sum(("colour", "red")).ShouldBe(2);
        collector.Last(("colour", "blue")).ShouldBeNull();
    }

    [Fact]
    public void MetricCollector_ReadsObservableInstruments_WhenAsked()
    {
        using var factory = new TestMeterFactory();
        using var collector = new MetricCollector<double>(factory, "level");
        var level = 1.5;
        factory.Create("zoo").CreateObservableGauge("level", () => level);

        collector.Observe().ShouldHaveSingleItem().Value.ShouldBe(1.5);
        level = 2.5;
        collector.Observe().ShouldHaveSingleItem().Value.ShouldBe(2.5);
    }
}
