using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Outage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.OneTimeTokens;

/// <summary>Registers one-time tokens.</summary>
internal static class OneTimeTokenRegistration
{
    public static IServiceCollection AddOneTimeTokens(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<OneTimeTokenOptions>().Bind(configuration.GetSection(OneTimeTokenOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<OneTimeTokenOptions>, OneTimeTokenOptionsValidator>();
        services.AddSingleton<RedisOneTimeTokenStore>();
        services.AddSingleton(provider => new InMemoryOneTimeTokenStore(
            provider.GetRequiredService<MemoryUsers>(),
            provider.GetRequiredService<IOptionsMonitor<OneTimeTokenOptions>>(),
            provider.GetRequiredService<IOptionsMonitor<TokenLifetimeOptions>>(),
            provider.GetRequiredService<IOptions<MemoryOptions>>().Value,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(new PrimedStore(InstrumentedOneTimeTokenStore.StoreLabel, InstrumentedOneTimeTokenStore.Operations));
        services.AddSingleton<IOneTimeTokenStore>(provider => new InstrumentedOneTimeTokenStore(
            ActivatorUtilities.CreateInstance<SwitchingOneTimeTokenStore>(provider, provider.Later<IOneTimeTokenStore, RedisOneTimeTokenStore>()),
            provider.GetRequiredService<AuthStoreMetrics>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<PasswordReset>();
        return services;
    }
}
