using System.Diagnostics.Metrics;

namespace Maintenance.Prometheus.Tests.Collection;

public sealed class CollisionTests : IDisposable
{
    private readonly ExporterFixture _exporter = new();

    public void Dispose() => _exporter.Dispose();

    [Fact]
    public async Task SecondInstrument_IsDroppedAndLoggedOnce_WhenItsNameHasAnotherType()
    {
        _exporter.Meter.CreateUpDownCounter<long>("same.name").Add(1);
        var second = _exporter.Meter.CreateHistogram<long>("same_name");
        second.Record(7);
        second.Record(7);

        (await _exporter.LinesAsync("same_name")).ShouldBe(
            ["# HELP same_name Instrument same.name of meter test.", "# TYPE same_name gauge", "same_name 1"]);
        _exporter.Logs.Of(4000).ShouldHaveSingleItem().Message.ShouldContain("same_name");
        (await _exporter.LinesAsync("prometheus_exporter_dropped_instruments_total"))[^1].ShouldEndWith(" 1");
    }

    [Theory]
    [InlineData("wait.count")]
    [InlineData("wait.sum")]
    [InlineData("wait.bucket")]
    public async Task Gauge_IsDropped_WhenItsNameIsASampleOfAHistogram(string gauge)
    {
        _exporter.Meter.CreateHistogram<long>("wait").Record(1);
        _exporter.Meter.CreateGauge<long>(gauge).Record(99);

        (await _exporter.TextAsync()).ShouldNotContain(" 99\n");
        _exporter.Logs.Of(4000).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Gauge_IsDropped_WhenItsNameIsACountersOpenMetricsFamily()
    {
        _exporter.Meter.CreateCounter<long>("twice").Add(1);
        _exporter.Meter.CreateGauge<long>("twice").Record(99);

        (await _exporter.OpenMetricsLinesAsync("twice")).ShouldBe(
            ["# HELP twice Instrument twice of meter test.", "# TYPE twice counter", "twice_total 1"]);
    }

    [Fact]
    public async Task CountersOfOneName_AddUp_WhenTheyHaveOneShape()
    {
        _exporter.Meter.CreateCounter<long>("shared").Add(1);
        _exporter.Meters.Create(new MeterOptions("other")).CreateCounter<int>("shared").Add(2);

        (await _exporter.LinesAsync("shared_total"))[2..].ShouldBe(["shared_total 3"]);
        _exporter.Logs.Of(4000).ShouldBeEmpty();
    }
}
