using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.RateLimiting;

/// <summary>The rate limits' part of <c>AddAuthStorage</c>.</summary>
internal static class RateLimitRegistration
{
    public static IServiceCollection AddRateLimits(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<RateLimitOptions>()
            .Configure(options => configuration.GetSection(RateLimitOptions.Section).Bind(options.Policies))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<RateLimitOptions>, RateLimitOptionsValidator>();
        services.AddSingleton<RedisRateLimitStore>();
        services.AddSingleton(provider => new MemoryRateLimitStore(
            provider.GetRequiredService<IOptionsMonitor<RateLimitOptions>>(),
            provider.GetRequiredService<IOptions<MemoryOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            inOutage: RedisIsTheStore(provider)));
        services.AddSingleton(provider => new PrimedStore(InstrumentedRateLimitStore.StoreLabel, InstrumentedRateLimitStore.Operations, CountsLookups: false)
        {
            RateLimitPolicies = [.. provider.GetRequiredService<IOptions<RateLimitOptions>>().Value.Policies.Keys],
        });
        return services.AddSingleton<IRateLimitStore>(provider => new InstrumentedRateLimitStore(
            RedisIsTheStore(provider) ? provider.GetRequiredService<RedisRateLimitStore>() : provider.GetRequiredService<MemoryRateLimitStore>(),
            provider.GetRequiredService<AuthStoreMetrics>(),
            provider.GetRequiredService<TimeProvider>()));
    }

    private static bool RedisIsTheStore(IServiceProvider provider) => provider.GetRequiredService<IOptions<RedisOptions>>().Value.Enabled;
}
