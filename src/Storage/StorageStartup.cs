using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Maintenance.Storage;

/// <summary>Makes the counters exist and starts to connect. A Redis that is not up yet does not keep the host from starting.</summary>
internal sealed class StorageStartup(
    IServiceProvider provider, AuthStoreMetrics metrics, IEnumerable<PrimedStore> stores, StorageSwitch mode, OutageMetrics outage) : BackgroundService
{
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        // Its instruments exist from now on.
        _ = outage;
        foreach (var store in stores)
        {
            metrics.Prime(store);
        }

        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (mode.Mode == StorageMode.Memory)
        {
            return;
        }

        if (!await provider.GetRequiredService<RedisConnection>().ConnectAsync(stoppingToken).ConfigureAwait(false) || mode.IsRedisAway)
        {
            provider.GetRequiredService<RedisWatch>().Suspect();
        }
    }
}
