using System.Diagnostics.Metrics;

namespace Maintenance.Prometheus.Tests;

/// <summary>What measures time runs alone.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public class Alone;

[Collection(nameof(Alone))]
public class ScrapeTimeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(20);

    [Fact]
    public async Task Scrape_TakesUnder20Milliseconds_At2000Series()
    {
        using var exporter = new ExporterFixture();
        for (var family = 0; family < 10; family++)
        {
            var counter = exporter.Meter.CreateCounter<long>($"speed.counter.{family}");
            var histogram = exporter.Meter.CreateHistogram<double>($"speed.histogram.{family}", "s");
            exporter.Meter.CreateObservableGauge($"speed.gauge.{family}", () => Enumerable.Range(0, 90).Select(n => new Measurement<double>(n / 7.0, Tags(n))));
            for (var n = 0; n < 90; n++) counter.Add(n, Tags(n));
            for (var n = 0; n < 20; n++) histogram.Record(n, Tags(n));
        }

        for (var i = 0; i < 20; i++) await exporter.TextAsync();
        // The fastest of many: what else the machine does can only add.
        var fastest = TimeSpan.MaxValue;
        for (var i = 0; i < 200 && fastest >= Limit; i++)
        {
            var start = TimeProvider.System.GetTimestamp();
            await exporter.Scraper.ScrapeAsync(Maintenance.Prometheus.Exposition.ExpositionFormat.Text, CancellationToken.None);
            var elapsed = TimeProvider.System.GetElapsedTime(start);
            fastest = elapsed < fastest ? elapsed : fastest;
        }

        var sets = (await exporter.LinesAsync("speed_")).Count(line =>
            !line.StartsWith('#') && !line.Contains("_bucket{", StringComparison.Ordinal) && !line.Contains("_sum{", StringComparison.Ordinal));
        sets.ShouldBe(2000);
        fastest.ShouldBeLessThan(Limit);
    }

    private static KeyValuePair<string, object?>[] Tags(int n) => [new("node", $"redis-{n}:6379"), new("kind", "session")];
}
