using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Outage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.RateLimiting;

/// <summary>The rate limits' part of <c>AddAuthStorage</c>.</summary>
internal static class RateLimitRegistration
{
    private const string OutageKey = "outage";

    public static IServiceCollection AddRateLimits(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<RateLimitOptions>()
            .Configure(options => NamedSettings.Bind(configuration.GetSection(RateLimitOptions.Section), options.Policies))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<RateLimitOptions>, RateLimitOptionsValidator>();
        services.AddSingleton<RedisRateLimitStore>();
        services.AddSingleton(provider => InMemory(provider, inOutage: false));
        services.AddKeyedSingleton(OutageKey, (provider, _) => InMemory(provider, inOutage: true));
        services.AddSingleton(provider => new PrimedStore(InstrumentedRateLimitStore.StoreLabel, InstrumentedRateLimitStore.Operations, CountsLookups: false)
        {
            RateLimitPolicies = [.. provider.GetRequiredService<IOptions<RateLimitOptions>>().Value.Policies.Keys],
        });
        return services.AddSingleton<IRateLimitStore>(provider => new InstrumentedRateLimitStore(
            new SwitchingRateLimitStore(
                provider.Later<IRateLimitStore, RedisRateLimitStore>(),
                provider.GetRequiredService<MemoryRateLimitStore>(),
                provider.GetRequiredKeyedService<MemoryRateLimitStore>(OutageKey),
                provider.GetRequiredService<StorageSwitch>(),
                provider.GetRequiredService<OutageOptions>()),
            provider.GetRequiredService<AuthStoreMetrics>(),
            provider.GetRequiredService<TimeProvider>()));
    }

    private static MemoryRateLimitStore InMemory(IServiceProvider provider, bool inOutage) => new(
        provider.GetRequiredService<IOptionsMonitor<RateLimitOptions>>(),
        provider.GetRequiredService<IOptions<MemoryOptions>>(),
        provider.GetRequiredService<TimeProvider>(),
        inOutage);
}
