using Maintenance.Worker.Alerting;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.MemoryAlerts;

/// <summary>Adds the memory watch.</summary>
public static class MemoryAlertsServiceCollectionExtensions
{
    /// <summary>Registers the job and its metrics.</summary>
    public static IServiceCollection AddMemoryAlerts(this IServiceCollection services)
    {
        services.TryAddSingleton<RedisNodes>();
        services.AddSingleton<IValidateOptions<MemoryAlertsOptions>, MemoryAlertsOptionsValidator>();
        services.AddSingleton<LatestSnapshot<MemoryAlertsSnapshot>>();
        services.AddSingleton<IJobResultObserver, MemoryAlertsMetrics>();
        services.AddSingleton<IAlertRule, MemoryAlertRule>();
        return services.AddMaintenanceJob<MemoryAlertsJob, MemoryAlertsOptions>(JobNames.MemoryAlerts, "00:01:00", LeaselessRuns.WhenFull);
    }
}
