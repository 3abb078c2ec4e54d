using System.Diagnostics.Metrics;

namespace Maintenance.Prometheus.Tests.Histograms;

public sealed class GaugeHistogramTests : IDisposable
{
    private static readonly KeyValuePair<string, object?> Kind = new("kind", "session");
    private readonly ExporterFixture _exporter = new();

    public void Dispose() => _exporter.Dispose();

    [Fact]
    public async Task Scrape_WritesAHistogram_InTextFormat()
    {
        _exporter.Meter.CreateGaugeHistogram("ttl", () => [new([60, 3600], [1, 2, 3], 9000.5, Kind)], "s", "TTL.");

        (await _exporter.LinesAsync("ttl_")).ShouldBe(
        [
            "# HELP ttl_seconds TTL.", "# TYPE ttl_seconds histogram",
            "ttl_seconds_bucket{kind=\"session\",le=\"60.0\"} 1", "ttl_seconds_bucket{kind=\"session\",le=\"3600.0\"} 3",
            "ttl_seconds_bucket{kind=\"session\",le=\"+Inf\"} 6", "ttl_seconds_count{kind=\"session\"} 6", "ttl_seconds_sum{kind=\"session\"} 9000.5",
        ]);
    }

    [Fact]
    public async Task Scrape_WritesAGaugeHistogram_InOpenMetrics()
    {
        _exporter.Meter.CreateGaugeHistogram("ttl", () => [new([60], [1, 2], 500)], "s", "TTL.");

        (await _exporter.OpenMetricsLinesAsync("ttl_")).ShouldBe(
        [
            "# HELP ttl_seconds TTL.", "# TYPE ttl_seconds gaugehistogram", "# UNIT ttl_seconds seconds",
            "ttl_seconds_bucket{le=\"60.0\"} 1", "ttl_seconds_bucket{le=\"+Inf\"} 3", "ttl_seconds_gcount 3", "ttl_seconds_gsum 500",
        ]);
    }

    [Fact]
    public async Task Scrape_ReplacesTheCounts_WhenThePassFoundFewer()
    {
        long items = 5;
        _exporter.Meter.CreateGaugeHistogram("ttl", () => [new([60], [items, 0], 1)], "s");
        (await _exporter.LinesAsync("ttl_seconds_count")).ShouldBe(["ttl_seconds_count 5"]);

        items = 2;

        (await _exporter.LinesAsync("ttl_seconds_count")).ShouldBe(["ttl_seconds_count 2"]);
    }

    [Fact]
    public async Task Scrape_HasNoSeries_WhenThereIsNoSnapshotOrTheCallbackThrows()
    {
        Func<IEnumerable<GaugeHistogramSnapshot>> observe = () => [];
        _exporter.Meter.CreateGaugeHistogram("ttl", () => observe(), "s");
        (await _exporter.LinesAsync("ttl_")).ShouldBeEmpty();

        observe = () => [new([60], [1, 1], 1)];
        (await _exporter.LinesAsync("ttl_")).ShouldNotBeEmpty();

        observe = () => throw new InvalidOperationException("no pass");
        (await _exporter.LinesAsync("ttl_")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Scrape_NoLongerHasIt_WhenItsMeterIsDisposed()
    {
        var meter = new Meter("static-" + nameof(GaugeHistogramTests));
        meter.CreateGaugeHistogram("gone.ttl", () => [new([60], [1, 1], 1)], "s");
        (await _exporter.LinesAsync("gone_ttl")).ShouldNotBeEmpty();

        meter.Dispose();

        (await _exporter.LinesAsync("gone_ttl")).ShouldBeEmpty();
    }

    [Fact]
    public void OtherListeners_SeeOneMeasurementABucket_WithLe()
    {
        var histogram = _exporter.Meter.CreateGaugeHistogram("ttl", () => [new([60], [1, 2], 500, Kind)], "s");
        var seen = new List<(double Value, object? Le)>();
        using var listener = new MeterListener();
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) => seen.Add((value, tags[1].Value)));
        listener.EnableMeasurementEvents(histogram);

        listener.RecordObservableInstruments();

        seen.ShouldBe([(1, 60.0), (3, double.PositiveInfinity)]);
    }

    [Theory]
    [InlineData(new double[] { 1, 2 }, new long[] { 1, 1 })]
    [InlineData(new double[] { 2, 1 }, new long[] { 1, 1, 1 })]
    [InlineData(new double[] { 1, 1 }, new long[] { 1, 1, 1 })]
    [InlineData(new[] { double.PositiveInfinity }, new long[] { 1, 1 })]
    [InlineData(new double[] { 1 }, new long[] { 1, -1 })]
    public void Snapshot_Throws_WhenBoundsOrCountsAreWrong(double[] bounds, long[] counts) =>
        Should.Throw<ArgumentException>(() => new GaugeHistogramSnapshot(bounds, counts, 0));
}
