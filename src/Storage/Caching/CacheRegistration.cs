using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Profiles;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Caching;

/// <summary>The part of the cache, and of the profiles in it, of <c>AddAuthStorage</c>.</summary>
internal static class CacheRegistration
{
    public static IServiceCollection AddCaches(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<CacheOptions>().Bind(configuration.GetSection(CacheOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<CacheOptions>, CacheOptionsValidator>();
        services.AddOptions<ProfileOptions>().Bind(configuration.GetSection(ProfileOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ProfileOptions>, ProfileOptionsValidator>();
        services.AddSingleton<RedisCacheStore>();
        services.AddSingleton<MemoryCacheStore>();
        services.AddSingleton(new PrimedStore(InstrumentedCacheStore.StoreLabel, InstrumentedCacheStore.Operations));
        services.AddSingleton(new PrimedStore(InstrumentedCacheStore.ProfileStoreLabel, InstrumentedCacheStore.Operations));
        services.AddSingleton<ICacheStore>(provider => new InstrumentedCacheStore(
            new SwitchingCacheStore(
                provider.Later<ICacheStore, RedisCacheStore>(), provider.GetRequiredService<MemoryCacheStore>(), provider.GetRequiredService<StorageSwitch>()),
            provider.GetRequiredService<AuthStoreMetrics>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<AuthCache>();
        return services.AddSingleton<ProfileCache>();
    }
}
