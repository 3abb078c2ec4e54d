using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Tracing;

/// <summary>Adds the export of spans to a host.</summary>
public static class TraceExportExtensions
{
    /// <summary>The setting that turns the export on, by the name that OpenTelemetry gives it. It is the collector's base address.</summary>
    public const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>The same for traces alone, with the whole path.</summary>
    public const string TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

    /// <summary>
    /// Exports spans by OTLP when <see cref="Endpoint"/> or <see cref="TracesEndpoint"/> is set; else nothing is registered, and no span is made.
    /// Protocol, headers, sampler and resource are OpenTelemetry's own settings (<c>OTEL_EXPORTER_OTLP_PROTOCOL</c>, <c>OTEL_TRACES_SAMPLER</c>, ...).
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">The host's configuration.</param>
    /// <param name="serviceName">Name of the service, unless <c>OTEL_SERVICE_NAME</c> says otherwise.</param>
    /// <param name="sources">Names of the sources to listen to.</param>
    /// <exception cref="InvalidOperationException">The endpoint is no http or https URL.</exception>
    public static IServiceCollection AddTraceExport(
        this IServiceCollection services, IConfiguration configuration, string serviceName, params string[] sources)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        var configured = false;
        foreach (var name in (string[])[Endpoint, TracesEndpoint])
        {
            if (configuration[name] is not { Length: > 0 } url)
            {
                continue;
            }

            if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            {
                throw new InvalidOperationException($"{name} is '{url}'; expected an http or https URL, for example http://localhost:4317.");
            }

            configured = true;
        }

        return configured
            ? services.AddHostedService(_ => new TraceExport(configuration, configuration["OTEL_SERVICE_NAME"] ?? serviceName, sources))
            : services;
    }
}
