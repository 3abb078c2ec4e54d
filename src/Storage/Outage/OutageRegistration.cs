using Maintenance.Storage.Archive;
using Maintenance.Storage.Denylist;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Outage;

/// <summary>The part of <c>AddAuthStorage</c> that decides between Redis and memory.</summary>
internal static class OutageRegistration
{
    public static IServiceCollection AddOutage(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<StorageModeOptions>()
            .Configure<IOptionsMonitor<RedisOptions>>((options, redis) => options.Mode = redis.CurrentValue.Enabled ? options.Mode : StorageMode.Memory)
            .Bind(configuration.GetSection(StorageModeOptions.Section))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<StorageModeOptions>, StorageModeOptionsValidator>();
        services.AddOptions<OutageOptions>()
            .Bind(configuration.GetSection(OutageOptions.Section))
            .PostConfigure<IServiceProvider>((options, provider) => options.Sessions ??=
                provider.GetService<IHostEnvironment>()?.IsDevelopment() == true ? OutagePolicy.Memory : OutagePolicy.Deny)
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<OutageOptions>, OutageOptionsValidator>();
        services.TryAddSingleton(OutageRules.Default);
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<OutageOptions>>().Value);

        services.AddSingleton(provider => provider.GetRequiredService<OutageOptions>() is { JournalFile.Length: > 0 } options
            ? new FileRevocationJournal(options.JournalFile, options.JournalEntries, provider.GetRequiredService<ILogger<FileRevocationJournal>>())
            : null!);
        services.AddSingleton(provider => new PendingRevocations(
            Journal(provider), provider.GetRequiredService<OutageOptions>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new StorageSwitch(
            provider.GetRequiredService<IOptionsMonitor<StorageModeOptions>>(),
            provider.GetRequiredService<IOptions<RedisOptions>>().Value.Enabled,
            // What an earlier process of this host has left in the journal comes before the first read.
            beginsAway: !provider.GetRequiredService<PendingRevocations>().Loaded,
            provider.GetRequiredService<ILogger<StorageSwitch>>())
        {
            MustCatchUp = () => provider.GetRequiredService<PendingRevocations>() is { Loaded: false } or { Count: > 0 },
            Changed = () => provider.GetRequiredService<RedisWatch>().Suspect(),
        });
        services.AddSingleton(provider => new RedisBreaker(
            provider.GetRequiredService<OutageOptions>(),
            provider.GetRequiredService<TimeProvider>(),
            opened =>
            {
                var watch = provider.GetRequiredService<RedisWatch>();
                if (opened)
                {
                    watch.Opened();
                }
                else
                {
                    watch.Suspect();
                }
            }));
        services.AddSingleton(provider => new RedisConnection(
            provider.GetRequiredService<IOptions<RedisOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RedisConnection>>())
        {
            Breaker = provider.GetRequiredService<RedisBreaker>(),
        });
        services.AddSingleton(provider => new JournalReplay(
            provider.Later<RedisConnection, RedisConnection>(),
            provider.GetRequiredService<RedisKeys>(),
            provider.GetRequiredService<PendingRevocations>(),
            provider.GetRequiredService<IOptionsMonitor<SessionOptions>>(),
            provider.GetRequiredService<IOptionsMonitor<DenylistOptions>>(),
            provider.GetRequiredService<OutageOptions>(),
            provider.GetRequiredService<OutageRules>(),
            provider.GetService<ISessionArchive>(),
            provider.GetRequiredService<ILogger<JournalReplay>>()));
        services.AddSingleton(provider => new SessionMover(
            provider.Later<RedisConnection, RedisConnection>(),
            provider.GetRequiredService<RedisKeys>(),
            provider.GetRequiredService<MemoryUsers>(),
            provider.GetRequiredService<MemorySessions>(),
            provider.GetRequiredService<StorageSwitch>(),
            provider.GetRequiredService<JournalReplay>(),
            provider.GetRequiredService<IOptionsMonitor<SessionOptions>>(),
            provider.GetRequiredService<OutageOptions>(),
            provider.GetRequiredService<OutageRules>(),
            provider.GetRequiredService<IOptions<RedisOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<SessionMover>>()));
        services.AddSingleton(provider => new RedisWatch(
            provider.Later<RedisConnection, RedisConnection>(),
            provider.GetRequiredService<RedisKeys>(),
            provider.GetRequiredService<RedisBreaker>(),
            provider.GetRequiredService<StorageSwitch>(),
            provider.GetRequiredService<PendingRevocations>(),
            provider.GetRequiredService<JournalReplay>(),
            provider.GetRequiredService<SessionMover>(),
            provider.GetRequiredService<MemorySessions>(),
            provider.GetRequiredService<OutageOptions>(),
            provider.GetRequiredService<OutageRules>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RedisWatch>>()));
        services.AddSingleton<Revoker>();
        services.AddSingleton<SharedJournalReader>();
        services.AddHostedService(provider => provider.GetRequiredService<SharedJournalReader>());
        services.AddSingleton(provider => new RotatedIds(
            provider.GetRequiredService<IOptions<MemoryOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        return services.AddSingleton<OutageMetrics>();
    }

    /// <summary>A store that is made at the first need: a host that keeps everything in memory never makes the one on Redis.</summary>
    public static Lazy<T> Later<T, TImplementation>(this IServiceProvider provider)
        where TImplementation : notnull, T =>
        new(() => provider.GetRequiredService<TImplementation>());

    // One that the host has registered, a database for example, wins over the file.
    private static IRevocationJournal? Journal(IServiceProvider provider) =>
        provider.GetService<IRevocationJournal>() ?? provider.GetService<FileRevocationJournal>();
}
