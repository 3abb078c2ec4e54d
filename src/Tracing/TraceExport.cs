using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Maintenance.Tracing;

/// <summary>
/// Collects spans while the host runs and sends them in the background; a collector that is away costs requests nothing. OpenTelemetry's own hosting
/// package would do the same.
/// </summary>
internal sealed class TraceExport(IConfiguration configuration, string serviceName, IReadOnlyList<string> sources) : IHostedService, IDisposable
{
    private const int FlushMilliseconds = 3000;

    private TracerProvider? provider;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        provider = Sdk.CreateTracerProviderBuilder()
            // OpenTelemetry's settings are read from here, so that they may stand in appsettings.json too.
            .ConfigureServices(services => services.AddSingleton(configuration))
            .ConfigureResource(resource => resource.AddService(serviceName, serviceVersion: typeof(TraceExport).Assembly.GetName().Version?.ToString(3)))
            .AddSource([.. sources])
            // Before the exporter: what it removes is not sent.
            .AddProcessor(new SecretsRemoved())
            .AddOtlpExporter((OtlpExporterOptions _) => { })
            .Build();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (provider is { } current)
        {
            // It blocks. What does not fit the shutdown's time is lost, and no reason to end with an error.
            await ((Task)Task.Run(() => current.ForceFlush(FlushMilliseconds), CancellationToken.None))
                .WaitAsync(cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose() => provider?.Dispose();
}
