using System.Diagnostics.Metrics;

namespace Maintenance.Prometheus.Tests.Collection;

public class CardinalityTests
{
    [Fact]
    public async Task Series_BeyondTheLimit_AreDroppedCountedAndLoggedOnce()
    {
        using var exporter = new ExporterFixture(options => options.MaxSeriesPerInstrument = 100);
        var counter = exporter.Meter.CreateCounter<long>("many");
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 102; i++) counter.Add(1, new KeyValuePair<string, object?>("n", i));
        }

        var series = await exporter.LinesAsync("many_total{");
        series.Length.ShouldBe(100);
        series.ShouldAllBe(line => line.EndsWith(" 2"));
        (await exporter.LinesAsync("prometheus_exporter_dropped_measurements_total{reason=\"series_limit\"}"))[0].ShouldEndWith(" 4");
        exporter.Logs.Of(4002).ShouldHaveSingleItem().Message.ShouldContain("many_total");
    }

    [Fact]
    public async Task Limit_DefaultsTo2000_AndIsAFamilysOwn()
    {
        using var exporter = new ExporterFixture();
        foreach (var name in new[] { "many.a", "many.b" })
        {
            var counter = exporter.Meter.CreateCounter<long>(name);
            for (var i = 0; i < 2001; i++) counter.Add(1, new KeyValuePair<string, object?>("n", i));
        }

        (await exporter.LinesAsync("many_a_total{")).Length.ShouldBe(2000);
        (await exporter.LinesAsync("many_b_total{")).Length.ShouldBe(2000);
    }

    [Fact]
    public async Task ObservableGauge_MayChangeItsLabels_WithoutEverReachingTheLimit()
    {
        using var exporter = new ExporterFixture(options => options.MaxSeriesPerInstrument = 2);
        var scrape = 0;
        exporter.Meter.CreateObservableGauge("moving", () => new Measurement<int>(scrape, new KeyValuePair<string, object?>("n", scrape)));
        for (scrape = 0; scrape < 10; scrape++) await exporter.TextAsync();

        (await exporter.LinesAsync("moving{")).ShouldBe(["moving{n=\"10\"} 10"]);
    }
}
