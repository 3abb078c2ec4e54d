using Maintenance.Prometheus.Collection;
using Maintenance.Prometheus.Exposition;
using Maintenance.Prometheus.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Maintenance.Prometheus;

/// <summary>Registers the exporter.</summary>
public static class PrometheusExporterServiceCollectionExtensions
{
    /// <summary>
    /// Collects every instrument of static meters and of this container's <see cref="System.Diagnostics.Metrics.IMeterFactory"/>; meters of
    /// another host in the same process are not taken.
    /// </summary>
    /// <remarks>
    /// What an instrument records before anybody listens is lost, also the <c>Add(0)</c> by which a metrics class makes its series exist from
    /// the start. So the exporter listens from its constructor on, and its hosted service is put in front of all others: the host constructs
    /// hosted services (and with them the metrics classes they ask for) in the order of registration, before it starts the first one.
    /// The order in which the host calls <c>AddPrometheusExporter</c> and <c>AddHostedService</c> does not matter. A metrics class that the
    /// program resolves by hand before the host starts should be resolved after <c>MapMetrics</c>, which constructs the exporter as well.
    /// </remarks>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Changes the defaults; a wrong value fails the host's start.</param>
    /// <returns>The same <paramref name="services"/>.</returns>
    public static IServiceCollection AddPrometheusExporter(
        this IServiceCollection services, Action<PrometheusExporterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddMetrics();
        services.AddLogging();
        var options = services.AddOptions<PrometheusExporterOptions>()
            .Validate(o => o.MaxSeriesPerInstrument >= 1, "MaxSeriesPerInstrument must be at least 1.")
            .ValidateOnStart();
        if (configure is not null) options.Configure(configure);

        if (services.Any(d => d.ServiceType == typeof(MetricCollector))) return services;
        services.AddSingleton<MetricCollector>();
        services.AddSingleton<Scraper>();
        services.Insert(0, ServiceDescriptor.Singleton<IHostedService, EarlyListener>());
        return services;
    }
}
