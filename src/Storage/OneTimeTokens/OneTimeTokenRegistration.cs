using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
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
            provider.UsesRedis() ? provider.GetRequiredService<RedisOneTimeTokenStore>() : provider.GetRequiredService<InMemoryOneTimeTokenStore>(),
            provider.GetRequiredService<AuthStoreMetrics>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<PasswordReset>();
        return services;
    }
}
