using Maintenance.Storage.Analytics;
using Maintenance.Storage.Archive;
using Maintenance.Storage.Caching;
using Maintenance.Storage.Denylist;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.OAuth;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Outage;
using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Storage.TwoFactor;
using Maintenance.Storage.UserData;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage;

/// <summary>Adds auth storage to a host.</summary>
public static class StorageServiceCollectionExtensions
{
    /// <summary>
    /// Registers <see cref="ISessionStore"/> and what it needs. Reads <c>Storage:Redis</c>, <c>Storage:Sessions</c> and <c>Storage:Tokens</c>, and below them the
    /// environment names of the older backends. A wrong value stops the start and is named.
    /// </summary>
    public static IServiceCollection AddAuthStorage(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<RedisOptions>()
            .Configure(options => StorageEnvironment.Apply(options, configuration))
            .Bind(configuration.GetSection(RedisOptions.Section))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<RedisOptions>, RedisOptionsValidator>();
        services.AddOptions<SessionOptions>()
            .Configure(options => StorageEnvironment.Apply(options, configuration))
            .Bind(configuration.GetSection(SessionOptions.Section))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<SessionOptions>, SessionOptionsValidator>();
        services.AddOptions<TokenLifetimeOptions>()
            .Configure(options => StorageEnvironment.Apply(options, configuration))
            .Bind(configuration.GetSection(TokenLifetimeOptions.Section))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<TokenLifetimeOptions>, TokenLifetimeOptionsValidator>();

        services.AddOptions<MemoryOptions>().Bind(configuration.GetSection(MemoryOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<MemoryOptions>, MemoryOptionsValidator>();

        services.AddOutage(configuration);
        services.AddSingleton(provider => new RedisKeys(provider.GetRequiredService<IOptions<RedisOptions>>().Value.KeyPrefix));
        services.AddSingleton<AuthStoreMetrics>();
        services.AddSingleton(provider => new RedisSessionStore(
            provider.GetRequiredService<RedisConnection>(),
            provider.GetRequiredService<RedisKeys>(),
            provider.GetRequiredService<IOptionsMonitor<SessionOptions>>(),
            provider.GetRequiredService<Microsoft.Extensions.Logging.ILogger<RedisSessionStore>>())
        {
            HasArchive = provider.HasArchive(),
        });
        services.AddSingleton<SessionRepair>();
        services.AddSingleton<Tokens.Repair.TokenRepair>();
        services.AddSingleton(new PrimedStore(InstrumentedSessionStore.StoreLabel, InstrumentedSessionStore.Operations));
        services.AddSingleton<Sessions.Inspection.UserInspector>();
        services.AddSingleton(provider => new MemoryUsers(
            provider.GetRequiredService<IOptions<MemoryOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new MemorySessions(
            provider.GetRequiredService<MemoryUsers>(),
            provider.GetRequiredService<IOptions<MemoryOptions>>().Value,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new InMemorySessionStore(
            provider.GetRequiredService<MemoryUsers>(),
            provider.GetRequiredService<MemorySessions>(),
            provider.GetRequiredService<IOptionsMonitor<SessionOptions>>()));
        services.AddRefreshTokens(configuration);
        services.AddOneTimeTokens(configuration);
        services.AddTwoFactor(configuration);
        services.AddAnalytics(configuration);
        services.AddSingleton<ISessionStore>(provider => new RecordingSessionStore(
            new FamilyAwareSessionStore(
                new InstrumentedSessionStore(
                    ActivatorUtilities.CreateInstance<SwitchingSessionStore>(provider, new Lazy<ISessionStore>(provider.RedisSessions)),
                    provider.GetRequiredService<AuthStoreMetrics>(),
                    provider.GetRequiredService<TimeProvider>()),
                provider.GetRequiredService<IRefreshTokenStore>()),
            provider.GetRequiredService<IAnalyticsStore>(),
            provider.GetRequiredService<IOptionsMonitor<AnalyticsOptions>>(),
            provider.GetRequiredService<Microsoft.Extensions.Logging.ILogger<RecordingSessionStore>>()));
        services.AddTokenDenylist(configuration);
        services.AddRateLimits(configuration);
        services.AddOAuthStates(configuration);
        services.AddCaches(configuration);
        services.AddUserData(configuration);
        services.AddHostedService<StorageStartup>();
        return services;
    }
}
