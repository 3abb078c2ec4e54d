using Maintenance.Worker.MemoryAlerts;

namespace Maintenance.Worker.Tests.MemoryAlerts;

public sealed class MemoryForecastTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Horizon = TimeSpan.FromDays(30);

    [Fact]
    public void Fit_TellsWhenTheLimitIsReached_WhenMemoryGrowsSteadily()
    {
        // 6,000 bytes a minute is 100 a second; at minute 9 there are 54,000; 46,000 are left: 460 s.
        var (growth, fullAt) = MemoryForecast.Fit(Samples(10, minute => minute * 6000), 100_000, Horizon);

        growth.ShouldNotBeNull().ShouldBe(100, 0.001);
        (fullAt.ShouldNotBeNull() - Start.AddMinutes(9).AddSeconds(460)).Duration().ShouldBeLessThan(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Fit_IsNotTurnedByOneOutlier()
    {
        var samples = Samples(21, minute => minute == 10 ? 5_000_000 : minute * 6000);

        MemoryForecast.Fit(samples, 1_000_000, Horizon).BytesPerSecond.ShouldNotBeNull().ShouldBe(100, 5);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public void Fit_TellsNothing_WhenThereAreFewSamples(int count) =>
        MemoryForecast.Fit(Samples(count, minute => minute * 6000), 100_000, Horizon).ShouldBe((null, null));

    [Fact]
    public void Fit_TellsNothing_WhenMemoryStands() => MemoryForecast.Fit(Samples(20, _ => 500), 1000, Horizon).ShouldBe((null, null));

    [Fact]
    public void Fit_TellsNothing_WhenMemoryFalls() => MemoryForecast.Fit(Samples(20, minute => 10_000 - minute), 20_000, Horizon).ShouldBe((null, null));

    [Fact]
    public void Fit_TellsNothing_WhenMemorySways() =>
        MemoryForecast.Fit(Samples(20, minute => 1000 + (minute % 2 * 100)), 20_000, Horizon).ShouldBe((null, null));

    [Fact]
    public void Fit_TellsGrowthWithoutATime_WhenThereIsNoLimit()
    {
        var (growth, fullAt) = MemoryForecast.Fit(Samples(10, minute => minute * 6000), null, Horizon);

        growth.ShouldNotBeNull();
        fullAt.ShouldBeNull();
    }

    [Fact]
    public void Fit_TellsNoTime_WhenItIsBeyondTheHorizon() =>
        MemoryForecast.Fit(Samples(10, minute => minute * 60), 1_000_000_000, Horizon).FullAt.ShouldBeNull();

    [Fact]
    public void Fit_SaysNow_WhenTheLimitIsReachedAlready() =>
        MemoryForecast.Fit(Samples(10, minute => minute * 6000), 50_000, Horizon).FullAt.ShouldBe(Start.AddMinutes(9));

    [Fact]
    public void Fit_TellsNothing_WhenTheSamplesSpanSeconds() =>
        MemoryForecast.Fit([.. Enumerable.Range(0, 30).Select(i => new MemorySample(Start.AddSeconds(i * 2), i * 6000))], 10_000_000, Horizon).ShouldBe((null, null));

    [Fact]
    public void Fit_SurvivesSamplesOfOneMoment() =>
        MemoryForecast.Fit([.. Enumerable.Range(0, 10).Select(i => new MemorySample(Start, i))], 100, Horizon).ShouldBe((null, null));

    private static List<MemorySample> Samples(int count, Func<int, long> bytes) =>
        [.. Enumerable.Range(0, count).Select(minute => new MemorySample(Start.AddMinutes(minute), bytes(minute)))];
}
