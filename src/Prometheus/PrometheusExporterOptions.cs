namespace Maintenance.Prometheus;

/// <summary>Settings of the exporter. The defaults suit a host whose labels are closed sets.</summary>
public sealed class PrometheusExporterOptions
{
    /// <summary>
    /// The most series (distinct label sets) one metric family may have; default 2,000, at least 1. A histogram's label set counts once,
    /// whatever its buckets. A measurement with a label set beyond the limit is dropped, logged once a family, and counted in
    /// <c>prometheus_exporter_dropped_measurements_total{reason="series_limit"}</c>. Label sets that exist already go on.
    /// </summary>
    public int MaxSeriesPerInstrument { get; set; } = 2000;
}
