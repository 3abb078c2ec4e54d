using System.Diagnostics.Metrics;

namespace Maintenance.Prometheus;

/// <summary>Creates gauge histograms beside a meter's own instruments.</summary>
public static class GaugeHistogramMeterExtensions
{
    /// <summary>Creates and publishes a <see cref="GaugeHistogram"/>.</summary>
    /// <param name="meter">The meter it belongs to; best one of <see cref="IMeterFactory"/>.</param>
    /// <param name="name">Instrument name, such as <c>maintenance.keyspace.ttl</c>.</param>
    /// <param name="observe">
    /// Called at each scrape; returns one snapshot a label set, or none while there is nothing to tell (the series are absent then). It must
    /// return what a job left in memory and do no I/O. If it throws, the scrape goes on without this family.
    /// </param>
    /// <param name="unit">UCUM unit, such as <c>s</c>; becomes the name's suffix.</param>
    /// <param name="description">The HELP text.</param>
    /// <returns>The instrument.</returns>
    public static GaugeHistogram CreateGaugeHistogram(
        this Meter meter, string name, Func<IEnumerable<GaugeHistogramSnapshot>> observe, string? unit = null, string? description = null)
    {
        ArgumentNullException.ThrowIfNull(meter);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(observe);
        return new GaugeHistogram(meter, name, observe, unit, description);
    }
}
