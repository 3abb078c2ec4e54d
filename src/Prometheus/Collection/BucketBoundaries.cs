using System.Diagnostics.Metrics;

namespace Maintenance.Prometheus.Collection;

/// <summary>The upper bounds of a histogram's buckets: the instrument's advice, else OpenTelemetry's defaults.</summary>
internal static class BucketBoundaries
{
    /// <summary>For unit <c>s</c>: OpenTelemetry's advice for HTTP durations.</summary>
    private static readonly double[] Seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    /// <summary>For every other unit: the defaults of OpenTelemetry's explicit bucket histogram.</summary>
    private static readonly double[] General = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];

    public static double[] Of(Instrument instrument)
    {
        var advised = instrument switch
        {
            Histogram<double> h => AsDoubles(h.Advice),
            Histogram<long> h => AsDoubles(h.Advice),
            Histogram<int> h => AsDoubles(h.Advice),
            Histogram<float> h => AsDoubles(h.Advice),
            Histogram<decimal> h => AsDoubles(h.Advice),
            Histogram<short> h => AsDoubles(h.Advice),
            Histogram<byte> h => AsDoubles(h.Advice),
            _ => null,
        };
        return advised ?? (string.Equals(instrument.Unit, "s", StringComparison.Ordinal) ? Seconds : General);
    }

    private static double[]? AsDoubles<T>(InstrumentAdvice<T>? advice)
        where T : struct => advice?.HistogramBucketBoundaries?
            .Select(bound => Convert.ToDouble(bound, System.Globalization.CultureInfo.InvariantCulture))
            .Where(double.IsFinite).Distinct().Order().ToArray();
}
