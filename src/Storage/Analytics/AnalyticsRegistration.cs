using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Analytics;

/// <summary>The part of activity and analytics of <c>AddAuthStorage</c>.</summary>
internal static class AnalyticsRegistration
{
    public static IServiceCollection AddAnalytics(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<AnalyticsOptions>().Bind(configuration.GetSection(AnalyticsOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AnalyticsOptions>, AnalyticsOptionsValidator>();
        services.AddSingleton<RedisAnalyticsStore>();
        services.AddSingleton<MemoryAnalyticsStore>();
        services.AddSingleton(new PrimedStore(InstrumentedAnalyticsStore.StoreLabel, InstrumentedAnalyticsStore.Operations, CountsLookups: false));
        return services.AddSingleton<IAnalyticsStore>(provider => new InstrumentedAnalyticsStore(
            new SwitchingAnalyticsStore(
                provider.Later<IAnalyticsStore, RedisAnalyticsStore>(), provider.GetRequiredService<MemoryAnalyticsStore>(), provider.GetRequiredService<StorageSwitch>()),
            provider.GetRequiredService<AuthStoreMetrics>(),
            provider.GetRequiredService<TimeProvider>()));
    }
}
