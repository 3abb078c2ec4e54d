using Maintenance.Prometheus.Collection;
using Microsoft.Extensions.Hosting;

namespace Maintenance.Prometheus.Hosting;

/// <summary>Does nothing but ask for the collector: the first hosted service is constructed first, so the collector listens before the others exist.</summary>
internal sealed class EarlyListener : IHostedService
{
    public EarlyListener(MetricCollector collector) => ArgumentNullException.ThrowIfNull(collector);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
