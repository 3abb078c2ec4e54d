using Maintenance.Worker.Alerting;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.RedisHealth;

/// <summary>Adds the probe.</summary>
public static class RedisHealthServiceCollectionExtensions
{
    /// <summary>Registers <see cref="RedisProbe"/>, its job and its metrics.</summary>
    public static IServiceCollection AddRedisHealth(this IServiceCollection services)
    {
        services.TryAddSingleton<RedisNodes>();
        services.AddSingleton<RedisProbe>();
        services.AddSingleton<IValidateOptions<RedisHealthOptions>, RedisHealthOptionsValidator>();
        services.AddSingleton<LatestSnapshot<RedisHealthSnapshot>>();
        services.AddSingleton<IJobResultObserver, RedisHealthMetrics>();
        services.AddSingleton<IAlertRule, RedisHealthAlerts>();
        return services.AddMaintenanceJob<RedisHealthJob, RedisHealthOptions>(JobNames.RedisHealth, "00:05:00", LeaselessRuns.WhenUnavailable);
    }
}
