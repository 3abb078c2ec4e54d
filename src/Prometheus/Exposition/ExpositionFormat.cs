namespace Maintenance.Prometheus.Exposition;

/// <summary>The formats a scrape can have.</summary>
internal enum ExpositionFormat
{
    /// <summary>Prometheus text 0.0.4, the default.</summary>
    Text,

    /// <summary>OpenMetrics 1.0.0.</summary>
    OpenMetrics,
}
