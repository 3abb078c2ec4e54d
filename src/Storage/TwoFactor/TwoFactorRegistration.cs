using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Outage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.TwoFactor;

/// <summary>Registers two-factor challenges.</summary>
internal static class TwoFactorRegistration
{
    public static IServiceCollection AddTwoFactor(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<TwoFactorOptions>().Bind(configuration.GetSection(TwoFactorOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TwoFactorOptions>, TwoFactorOptionsValidator>();
        services.AddSingleton<RedisTwoFactorStore>();
        services.AddSingleton(provider => new InMemoryTwoFactorStore(
            provider.GetRequiredService<MemoryUsers>(),
            provider.GetRequiredService<IOptionsMonitor<TwoFactorOptions>>(),
            provider.GetRequiredService<IOptionsMonitor<TokenLifetimeOptions>>(),
            provider.GetRequiredService<IOptions<MemoryOptions>>().Value,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(new PrimedStore(InstrumentedTwoFactorStore.StoreLabel, InstrumentedTwoFactorStore.Operations));
        services.AddSingleton<ITwoFactorStore>(provider => new InstrumentedTwoFactorStore(
            ActivatorUtilities.CreateInstance<SwitchingTwoFactorStore>(provider, provider.Later<ITwoFactorStore, RedisTwoFactorStore>()),
            provider.GetRequiredService<AuthStoreMetrics>(),
            provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
