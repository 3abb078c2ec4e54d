using System.Diagnostics.CodeAnalysis;
using Maintenance.Prometheus.Exposition;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Prometheus;

/// <summary>Maps the scrape endpoint. Named as in prometheus-net, so that a swap is one line.</summary>
public static class MetricsEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Answers <c>GET</c> on <paramref name="pattern"/> with all metrics: Prometheus text 0.0.4, or OpenMetrics 1.0.0 when the <c>Accept</c>
    /// header rates it at least as high; compressed with gzip when <c>Accept-Encoding</c> allows it.
    /// </summary>
    /// <param name="endpoints">The application's routes.</param>
    /// <param name="pattern">The route, <c>/metrics</c> unless given.</param>
    /// <returns>A builder for conventions such as authorization or a required host (port).</returns>
    /// <exception cref="InvalidOperationException"><c>AddPrometheusExporter</c> was not called.</exception>
    public static IEndpointConventionBuilder MapMetrics(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern = "/metrics")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var scraper = endpoints.ServiceProvider.GetService<Scraper>()
            ?? throw new InvalidOperationException("Call services.AddPrometheusExporter() before MapMetrics().");
        return endpoints.MapGet(pattern, context => MetricsEndpoint.AnswerAsync(context, scraper)).WithDisplayName("Prometheus metrics");
    }
}
