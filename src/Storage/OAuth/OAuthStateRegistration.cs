using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.OAuth;

/// <summary>The OAuth states' part of <c>AddAuthStorage</c>.</summary>
internal static class OAuthStateRegistration
{
    public static IServiceCollection AddOAuthStates(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<OAuthStateOptions>().Bind(configuration.GetSection(OAuthStateOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<OAuthStateOptions>, OAuthStateOptionsValidator>();
        services.AddSingleton<RedisOAuthStateStore>();
        services.AddSingleton<MemoryOAuthStateStore>();
        services.AddSingleton(new PrimedStore(InstrumentedOAuthStateStore.StoreLabel, InstrumentedOAuthStateStore.Operations));
        return services.AddSingleton<IOAuthStateStore>(provider => new InstrumentedOAuthStateStore(
            new SwitchingOAuthStateStore(
                provider.Later<IOAuthStateStore, RedisOAuthStateStore>(), provider.GetRequiredService<MemoryOAuthStateStore>(), provider.GetRequiredService<StorageSwitch>()),
            provider.GetRequiredService<AuthStoreMetrics>(),
            provider.GetRequiredService<TimeProvider>()));
    }
}
