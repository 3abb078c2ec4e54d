using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.UserData;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Archive;

/// <summary>Adds a durable copy to auth storage.</summary>
public static class ArchiveRegistration
{
    /// <summary>
    /// Keeps sessions in an archive too. Every host of a store must have it: what a host without it ends, the others would bring back. Without
    /// Redis (<see cref="RedisOptions.Enabled"/> false) it does nothing.
    /// </summary>
    /// <param name="services">Services with auth storage.</param>
    /// <param name="configuration">Its section <c>Archive</c> is read.</param>
    /// <param name="archive">Makes the archive, once.</param>
    /// <param name="journal">Makes the journal of revocations while Redis is away, unless the host names a file for it (<c>Storage:Outage:JournalFile</c>).</param>
    public static IServiceCollection AddSessionArchive(
        this IServiceCollection services,
        IConfiguration configuration,
        Func<IServiceProvider, ISessionArchive> archive,
        Func<IServiceProvider, IRevocationJournal> journal)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<ArchiveOptions>().Bind(configuration.GetSection(ArchiveOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ArchiveOptions>, ArchiveOptionsValidator>();
        services.AddSingleton(new PrimedStore(InstrumentedSessionArchive.StoreLabel, InstrumentedSessionArchive.Operations));
        services.AddSingleton<ISessionArchive>(provider => new InstrumentedSessionArchive(
            archive(provider), provider.GetRequiredService<AuthStoreMetrics>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ArchiveFence>();
        services.AddSingleton<ArchiveReadThrough>();
        services.AddSingleton<IRevocationJournal>(provider => new ArchivingRevocationJournal(
            provider.GetService<FileRevocationJournal>() ?? journal(provider),
            provider.GetRequiredService<ISessionArchive>(),
            provider.GetRequiredService<IOptionsMonitor<SessionOptions>>()));
        services.AddSingleton<IUserDataSource, ArchiveUserData>();
        services.AddSingleton<LastAccessBatch>();
        services.AddHostedService(provider => provider.GetRequiredService<LastAccessBatch>());
        services.AddSingleton(provider => new ArchiveReplay(provider.GetRequiredService<ISessionArchive>(), provider.GetRequiredService<ArchiveFence>()));
        services.AddSingleton(provider => new ArchivedSessionStore(
            provider.GetRequiredService<RedisSessionStore>(),
            provider.GetRequiredService<ISessionArchive>(),
            provider.GetRequiredService<ArchiveFence>(),
            provider.GetRequiredService<ArchiveReadThrough>(),
            provider.GetRequiredService<LastAccessBatch>(),
            provider.GetRequiredService<IOptionsMonitor<SessionOptions>>(),
            provider.GetRequiredService<ILogger<ArchivedSessionStore>>()));
        return services;
    }

    /// <summary>Whether there is a durable copy.</summary>
    internal static bool HasArchive(this IServiceProvider provider) => provider.GetService<ArchiveFence>() is not null;

    /// <summary>Sessions in Redis, with their durable copy if there is one.</summary>
    internal static ISessionStore RedisSessions(this IServiceProvider provider) =>
        (ISessionStore?)provider.GetService<ArchivedSessionStore>() ?? provider.GetRequiredService<RedisSessionStore>();

    /// <summary>Refresh tokens in Redis, whose ends of sessions reach the durable copy if there is one.</summary>
    internal static IRefreshTokenStore RedisRefreshTokens(this IServiceProvider provider) => provider.GetService<ArchivedSessionStore>() is null
        ? provider.GetRequiredService<RedisRefreshTokenStore>()
        : new ArchivedRefreshTokenStore(provider.GetRequiredService<RedisRefreshTokenStore>(), provider.GetRequiredService<ArchivedSessionStore>);
}
