using Maintenance.Pages;
using Maintenance.Worker.MemoryAlerts;
using Maintenance.Worker.Scheduling;
using Maintenance.Worker.Status.Page;
using Microsoft.AspNetCore.Http;

namespace Maintenance.Worker.Tests.Status;

/// <summary>Figures, times, curves and notices as the page shows them.</summary>
public sealed class PageTextTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.50 KiB")]
    [InlineData(24_000_000, "22.9 MiB")]
    [InlineData(150L * 1024 * 1024, "150 MiB")]
    [InlineData(5L << 40, "5.00 TiB")]
    public void Bytes_HaveThreeDigits(long bytes, string expected) => Readable.Bytes(bytes).ShouldBe(expected);

    [Theory]
    [InlineData(-1, "now")]
    [InlineData(-42, "42 s ago")]
    [InlineData(150, "in 2 min 30 s")]
    [InlineData(-900, "15 min ago")]
    [InlineData(4800, "in 1 h 20 min")]
    [InlineData(-277_200, "3 d 5 h ago")]
    public void Distance_IsInWords(int seconds, string expected) => Readable.Distance(Now.AddSeconds(seconds), Now).ShouldBe(expected);

    [Theory]
    [InlineData(0.00042, "420 µs")]
    [InlineData(0.0345, "34.5 ms")]
    [InlineData(1.234, "1.23 s")]
    [InlineData(125, "2 min 5 s")]
    [InlineData(7200, "2 h")]
    public void Length_HasItsTwoLargestUnits(double seconds, string expected) => Readable.Length(TimeSpan.FromSeconds(seconds)).ShouldBe(expected);

    [Fact]
    public void Clock_HasTheDay_UnlessItIsToday()
    {
        Readable.Clock(Now.AddHours(-2), Now).ShouldBe("10:00:00 UTC");
        Readable.Clock(Now.AddDays(3), Now).ShouldBe("4 Jan 12:00 UTC");
        Readable.Clock(Now.AddDays(-1), Now).ShouldBe("31 Dec 2029 12:00 UTC");
    }

    [Fact]
    public void Curve_RisesWithTheSamples_AndLeadsOnOnlyWhenMemoryGrows()
    {
        var samples = Enumerable.Range(0, 10).Select(i => new MemorySample(Now.AddMinutes(i), 1_000_000 + (i * 100_000))).ToList();

        var growing = TrendCurve.Draw(new NodeMemory { Node = "n", Samples = samples, GrowthBytesPerSecond = 1667 }).ShouldNotBeNull();
        var still = TrendCurve.Draw(new NodeMemory { Node = "n", Samples = samples }).ShouldNotBeNull();

        growing.Forecast.ShouldNotBeNull().ShouldStartWith("M480 ");
        still.Forecast.ShouldBeNull();
        still.Line.ShouldStartWith("M0 88L");
        still.Line.ShouldEndWith("L600 12");
        (still.Least, still.Most, still.Span).ShouldBe((1_000_000, 1_900_000, TimeSpan.FromMinutes(9)));
        TrendCurve.Draw(new NodeMemory { Node = "n", Samples = samples[..1] }).ShouldBeNull();
    }

    [Fact]
    public void Curve_LeavesOutWhatRunsBackwards()
    {
        var curve = TrendCurve.Draw(new NodeMemory { Node = "n", Samples = [new(Now, 10), new(Now.AddMinutes(-1), 999), new(Now.AddMinutes(1), 20)] });
        curve.ShouldNotBeNull().Most.ShouldBe(20);
    }

    [Theory]
    [InlineData("?notice=begun&job=redis-health", true)]
    [InlineData("?notice=begun&job=no-such-job", false)]
    [InlineData("?notice=anything", false)]
    [InlineData("", false)]
    public void Notice_IsReadFromAClosedSet(string query, bool known)
    {
        var context = new DefaultHttpContext();
        context.Request.QueryString = new QueryString(query);
        (Notice.Read(context.Request.Query) is not null).ShouldBe(known);
    }

    [Fact]
    public void EveryRefusal_HasANotice()
    {
        // What a run by hand cannot meet has none: it has no due time.
        foreach (var refusal in Enum.GetValues<RunRefusal>().Except([RunRefusal.None, RunRefusal.Done, RunRefusal.ClockAhead]))
        {
            var context = new DefaultHttpContext();
            context.Request.QueryString = new QueryString($"?notice={refusal}&job={JobNames.RedisHealth}");
            Notice.Read(context.Request.Query).ShouldNotBeNull($"{refusal}").Job.ShouldBe(JobNames.RedisHealth);
        }
    }

    [Theory]
    [InlineData("same-origin", null, true)]
    [InlineData("none", null, true)]
    [InlineData("cross-site", null, false)]
    [InlineData("same-site", "http://worker:8081", false)]
    [InlineData(null, "http://worker:8081", true)]
    [InlineData(null, "http://worker", false)]
    [InlineData(null, "null", false)]
    [InlineData(null, null, true)]
    public void SameOrigin_BelievesTheBrowser(string? site, string? origin, bool expected)
    {
        var context = new DefaultHttpContext();
        context.Request.Host = new HostString("worker", 8081);
        context.Request.Headers["Sec-Fetch-Site"] = site;
        context.Request.Headers.Origin = origin;
        SameOrigin.Sent(context.Request).ShouldBe(expected);
    }
}
