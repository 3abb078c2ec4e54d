using Maintenance.Storage.Diagnostics;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.AspNetCore.DistributedCache;

/// <summary>Registers the cache.</summary>
public static class AuthDistributedCacheExtensions
{
    /// <summary>
    /// Registers <see cref="IDistributedCache"/> on the Redis of auth storage, for ASP.NET Core's sessions and everything else that takes one; in memory when
    /// <c>Storage:Redis:Enabled</c> is false. Needs <c>AddAuthStorage</c>. Reads <c>Storage:DistributedCache</c>.
    /// </summary>
    public static IServiceCollection AddAuthDistributedCache(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<DistributedCacheOptions>().BindConfiguration(DistributedCacheOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<DistributedCacheOptions>, DistributedCacheOptionsValidator>();
        services.AddSingleton(new PrimedStore(AuthDistributedCache.StoreLabel, AuthDistributedCache.Operations));
        return services.AddSingleton<IDistributedCache>(provider => provider.UsesRedis()
            ? new AuthDistributedCache(
                ActivatorUtilities.CreateInstance<RedisCacheEntries>(provider),
                provider.GetRequiredService<AuthStoreMetrics>(),
                provider.GetRequiredService<TimeProvider>())
            : new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions())));
    }
}
