using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.KeyspaceStats;

/// <summary>Adds the statistics.</summary>
public static class KeyspaceStatsServiceCollectionExtensions
{
    /// <summary>Registers the job and its metrics.</summary>
    public static IServiceCollection AddKeyspaceStats(this IServiceCollection services)
    {
        services.AddKeyspaceSweep();
        services.AddSingleton<IValidateOptions<KeyspaceStatsOptions>, KeyspaceStatsOptionsValidator>();
        services.AddSingleton<LatestSnapshot<KeyspaceStatsSnapshot>>();
        services.AddSingleton<IJobResultObserver, KeyspaceStatsMetrics>();
        return services.AddMaintenanceJob<KeyspaceStatsJob, KeyspaceStatsOptions>(JobNames.KeyspaceStats, "00:15:00", LeaselessRuns.WhenFull);
    }
}
