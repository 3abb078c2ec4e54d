using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Maintenance.Storage;

/// <summary>Makes the counters exist and starts to connect. A Redis that is not up yet does not keep the host from starting.</summary>
internal sealed class StorageStartup(IServiceProvider provider, AuthStoreMetrics metrics, IEnumerable<PrimedStore> stores) : BackgroundService
{
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var store in stores)
        {
            metrics.Prime(store);
        }

        return base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        provider.UsesRedis() ? provider.GetRequiredService<RedisConnection>().ConnectAsync(stoppingToken) : Task.CompletedTask;
}
