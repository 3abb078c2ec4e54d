using System.Diagnostics.Metrics;

namespace Maintenance.Prometheus.Tests.Exposition;

public sealed class ExpositionTests : IDisposable
{
    private readonly ExporterFixture _exporter = new();

    public void Dispose() => _exporter.Dispose();

    [Fact]
    public async Task Text_HasHelpAndTypeOnceAFamily_WithItsSeriesSorted()
    {
        var counter = _exporter.Meter.CreateCounter<long>("jobs.runs", "{run}", "Runs.");
        counter.Add(2, new KeyValuePair<string, object?>("task", "b"));
        counter.Add(1, new KeyValuePair<string, object?>("task", "a"));

        (await _exporter.LinesAsync("jobs_")).ShouldBe(
            ["# HELP jobs_runs_total Runs.", "# TYPE jobs_runs_total counter", "jobs_runs_total{task=\"a\"} 1", "jobs_runs_total{task=\"b\"} 2"]);
    }

    [Fact]
    public async Task OpenMetrics_NamesCountersWithoutTotalAndTheirUnit_AndEndsInEof()
    {
        _exporter.Meter.CreateCounter<double>("cpu.time", "s", "CPU.").Add(1.5);

        (await _exporter.OpenMetricsLinesAsync("cpu_")).ShouldBe(
            ["# HELP cpu_time_seconds CPU.", "# TYPE cpu_time_seconds counter", "# UNIT cpu_time_seconds seconds", "cpu_time_seconds_total 1.5"]);
        (await _exporter.OpenMetricsAsync()).ShouldEndWith("\n# EOF\n");
        (await _exporter.TextAsync()).ShouldNotContain("# EOF");
    }

    [Fact]
    public async Task Help_IsEscaped_AsEachFormatWants()
    {
        _exporter.Meter.CreateCounter<long>("escaped", null, "a\\b\n\"c\"").Add(1);

        (await _exporter.LinesAsync("escaped"))[0].ShouldBe("""# HELP escaped_total a\\b\n"c" """.TrimEnd());
        (await _exporter.OpenMetricsLinesAsync("escaped"))[0].ShouldBe("""# HELP escaped a\\b\n\"c\" """.TrimEnd());
    }

    [Fact]
    public async Task Help_NamesTheInstrument_WhenItHasNoDescription()
    {
        _exporter.Meter.CreateCounter<long>("bare").Add(1);

        (await _exporter.LinesAsync("bare"))[0].ShouldBe("# HELP bare_total Instrument bare of meter test.");
    }

    [Fact]
    public async Task Families_AreSortedByName_AndAScrapeRepeatsExactly()
    {
        foreach (var name in new[] { "order.c", "order.a", "order.b" }) _exporter.Meter.CreateCounter<long>(name).Add(1);

        var lines = await _exporter.LinesAsync("order_");
        lines.Where(line => !line.StartsWith('#')).ShouldBe(["order_a_total 1", "order_b_total 1", "order_c_total 1"]);
        (await _exporter.LinesAsync("order_")).ShouldBe(lines);
    }

    [Theory]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(1.5, "1.5")]
    [InlineData(-0.25, "-0.25")]
    [InlineData(1763683200.123, "1763683200.123")]
    [InlineData(1e300, "1E+300")]
    public async Task Gauge_WritesAnyValue_AsPrometheusReadsIt(double value, string expected)
    {
        _exporter.Meter.CreateGauge<double>("any.value").Record(value);

        (await _exporter.LinesAsync("any_value"))[^1].ShouldBe($"any_value {expected}");
    }

    [Fact]
    public async Task Histogram_WritesCumulativeBucketsSumAndCount_ByTheInstrumentsAdvice()
    {
        var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1, 60] };
        var histogram = _exporter.Meter.CreateHistogram("wait", "s", "Wait.", tags: null, advice);
        foreach (var value in new[] { 0.5, 0.75, 1.0, 61 }) histogram.Record(value, new KeyValuePair<string, object?>("task", "a"));

        (await _exporter.LinesAsync("wait_")).ShouldBe(
        [
            "# HELP wait_seconds Wait.", "# TYPE wait_seconds histogram",
            "wait_seconds_bucket{task=\"a\",le=\"0.5\"} 1", "wait_seconds_bucket{task=\"a\",le=\"1.0\"} 3",
            "wait_seconds_bucket{task=\"a\",le=\"60.0\"} 3", "wait_seconds_bucket{task=\"a\",le=\"+Inf\"} 4",
            "wait_seconds_count{task=\"a\"} 4", "wait_seconds_sum{task=\"a\"} 63.25",
        ]);
    }

    [Theory]
    [InlineData("s", "0.005", "10.0", 15)]
    [InlineData("By", "0.0", "10000.0", 16)]
    public async Task Histogram_HasDefaultBuckets_WhenTheInstrumentGivesNoAdvice(string unit, string first, string last, int buckets)
    {
        _exporter.Meter.CreateHistogram<long>("plain", unit).Record(1);

        var bounds = (await _exporter.LinesAsync("plain_")).Where(line => line.Contains("le=", StringComparison.Ordinal)).ToList();
        bounds.Count.ShouldBe(buckets);
        bounds[0].ShouldContain($"le=\"{first}\"");
        bounds[^2].ShouldContain($"le=\"{last}\"");
        bounds[^1].ShouldContain("le=\"+Inf\"");
    }
}
