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
        services.AddSingleton(new LatestSnapshot<RedisHealthSnapshot>(JobNames.RedisHealth));
        services.AddSingleton<IJobResultObserver>(provider => provider.GetRequiredService<LatestSnapshot<RedisHealthSnapshot>>());
        services.AddSingleton<IJobResultObserver, RedisHealthMetrics>();
        return services.AddMaintenanceJob<RedisHealthJob, RedisHealthOptions>(JobNames.RedisHealth, "00:05:00", LeaselessRuns.WhenUnavailable);
    }
}
