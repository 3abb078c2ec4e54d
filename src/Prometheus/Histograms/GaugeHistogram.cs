using System.Diagnostics.Metrics;

namespace Maintenance.Prometheus;

/// <summary>
/// A histogram whose counts are a snapshot, replaced at each pass, and may fall: "how many sessions have how much time to live". An ordinary
/// histogram only grows. Create it with <see cref="GaugeHistogramMeterExtensions.CreateGaugeHistogram"/>; it lives and ends with its meter.
/// </summary>
/// <remarks>
/// Exported as <c>gaugehistogram</c> in OpenMetrics (<c>_bucket</c>, <c>_gcount</c>, <c>_gsum</c>) and as <c>histogram</c> in text 0.0.4
/// (<c>_bucket</c>, <c>_count</c>, <c>_sum</c>), where no such type exists: promtool answers <c>unknown metric type "gaugehistogram"</c>.
/// Only <c>_bucket</c> has the same name in both, so rules and dashboards should use that; the count is <c>_bucket{le="+Inf"}</c>.
/// Query it without <c>rate()</c>: <c>histogram_quantile(0.5, sum by (le) (x_bucket))</c>.
/// Another listener of the meter sees one measurement a bucket, with the cumulative count and a tag <c>le</c>.
/// </remarks>
public sealed class GaugeHistogram : ObservableInstrument<double>
{
    private readonly Func<IEnumerable<GaugeHistogramSnapshot>> _observe;

    internal GaugeHistogram(
        Meter meter, string name, Func<IEnumerable<GaugeHistogramSnapshot>> observe, string? unit, string? description)
        : base(meter, name, unit, description)
    {
        _observe = observe;
        Publish();
    }

    internal IEnumerable<GaugeHistogramSnapshot> Snapshots() => _observe();

    /// <inheritdoc/>
    protected override IEnumerable<Measurement<double>> Observe()
    {
        foreach (var snapshot in _observe())
        {
            long cumulative = 0;
            for (var i = 0; i < snapshot.Counts.Count; i++)
            {
                cumulative += snapshot.Counts[i];
                var bound = i < snapshot.UpperBounds.Count ? snapshot.UpperBounds[i] : double.PositiveInfinity;
                yield return new Measurement<double>(cumulative, [.. snapshot.Tags, new("le", bound)]);
            }
        }
    }
}
