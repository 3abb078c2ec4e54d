using Maintenance.Storage.Archive;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.RefreshTokens;

/// <summary>Registers refresh tokens beside the sessions that they belong to.</summary>
internal static class RefreshTokenRegistration
{
    public static IServiceCollection AddRefreshTokens(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<RefreshTokenOptions>().Bind(configuration.GetSection(RefreshTokenOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<RefreshTokenOptions>, RefreshTokenOptionsValidator>();
        services.AddSingleton(provider => new RedisRefreshTokenStore(
            provider.GetRequiredService<RedisConnection>(),
            provider.GetRequiredService<RedisKeys>(),
            provider.GetRequiredService<IOptionsMonitor<RefreshTokenOptions>>(),
            provider.GetRequiredService<IOptionsMonitor<TokenLifetimeOptions>>(),
            provider.HasArchive() ? provider.GetRequiredService<IOptionsMonitor<SessionOptions>>() : null));
        services.AddSingleton(provider => new InMemoryRefreshTokenStore(
            provider.GetRequiredService<MemoryUsers>(),
            provider.GetRequiredService<MemorySessions>(),
            provider.GetRequiredService<IOptionsMonitor<RefreshTokenOptions>>(),
            provider.GetRequiredService<IOptionsMonitor<TokenLifetimeOptions>>(),
            provider.GetRequiredService<IOptions<MemoryOptions>>().Value,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(new PrimedStore(InstrumentedRefreshTokenStore.StoreLabel, InstrumentedRefreshTokenStore.Operations));
        services.AddSingleton<IRefreshTokenStore>(provider => new InstrumentedRefreshTokenStore(
            ActivatorUtilities.CreateInstance<SwitchingRefreshTokenStore>(provider, new Lazy<IRefreshTokenStore>(provider.RedisRefreshTokens)),
            provider.GetRequiredService<AuthStoreMetrics>(),
            provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
