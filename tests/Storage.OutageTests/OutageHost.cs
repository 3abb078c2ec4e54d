using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.OutageTests;

/// <summary>Auth storage as <c>AddAuthStorage</c> gives it to one host, with a journal of its own. Disposing it is the end of the process.</summary>
internal sealed class OutageHost : IAsyncDisposable
{
    // While Redis is there, a machine that stands still for some seconds must not look like an outage; while it is not, the deadline is waited for.
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Hasty = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Exactly = TimeSpan.FromMilliseconds(200);

    private readonly ServiceProvider provider;

    public OutageHost(RedisServer redis, OutageRules? rules = null, params (string Name, string Value)[] settings)
        : this(redis, rules, automatic: true, settings)
    {
    }

    public OutageHost(RedisServer redis, OutageRules? rules, bool automatic, params (string Name, string Value)[] settings)
    {
        Settings = new ConfigurationBuilder()
            .AddInMemoryCollection(
            [
                KeyValuePair.Create("Storage:Redis:Url", (string?)redis.Url),
                KeyValuePair.Create("Storage:Redis:Deadline", (string?)$"{Patient}"),
                KeyValuePair.Create("Storage:Redis:ConnectTimeout", (string?)$"{Patient}"),
                KeyValuePair.Create("Storage:Outage:JournalDeadline", (string?)"00:00:30"),
                // Host and server share one clock here.
                KeyValuePair.Create("Storage:Outage:ClockTolerance", (string?)"00:00:00"),
            ])
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)))
            .Build();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
        services.AddSingleton<System.Diagnostics.Metrics.IMeterFactory>(Meters);
        if (rules is not null)
        {
            services.AddSingleton(rules);
        }

        services.AddAuthStorage(Settings);
        provider = services.BuildServiceProvider();
        Watch = Get<RedisWatch>();
        Watch.Automatic = automatic;
    }

    public IConfigurationRoot Settings { get; }

    public LogCollector Log { get; } = new();

    public TestMeterFactory Meters { get; } = new();

    public ISessionStore Sessions => Get<ISessionStore>();

    public StorageSwitch Mode => Get<StorageSwitch>();

    public PendingRevocations Pending => Get<PendingRevocations>();

    public RedisWatch Watch { get; }

    public T Get<T>()
        where T : notnull => provider.GetRequiredService<T>();

    public static string NewUserId() => Guid.NewGuid().ToString("D");

    public Task<IssuedSession> LogInAsync(string userId) => Sessions.CreateAsync(new NewSession { UserId = userId }, CancellationToken.None);

    public async Task<bool> IsValidAsync(IssuedSession issued) => (await Sessions.ValidateAsync(issued.Token.Value, CancellationToken.None)).IsValid;

    /// <summary>Calls get their answer soon from now on, or none.</summary>
    public void Hurry(TimeSpan? deadline = null) => Get<IOptions<RedisOptions>>().Value.Deadline = deadline ?? Hasty;

    /// <summary>Returns when this host knows that Redis is away.</summary>
    public async Task NoticeAsync()
    {
        Hurry();
        if (Watch.Automatic)
        {
            Watch.Suspect();
            await Eventually.TrueAsync(() => Mode.IsRedisAway, TimeSpan.FromSeconds(60));
        }
        else
        {
            await Watch.PassAsync(CancellationToken.None);
            Mode.IsRedisAway.ShouldBeTrue();
        }
    }

    /// <summary>Returns when this host is back on Redis and has nothing left to do.</summary>
    public Task RecoverAsync()
    {
        Hurry(Patient);
        Watch.Suspect();
        return Watch.Automatic
            ? Eventually.TrueAsync(() => !Mode.IsRedisAway && Pending.Count == 0 && Get<MemorySessions>().All().Count == 0, TimeSpan.FromSeconds(60))
            : Eventually.TrueAsync(() => Watch.PassAsync(CancellationToken.None), TimeSpan.FromSeconds(60));
    }

    /// <summary>
    /// The same for a host that does not look by itself, by a clock that was read within <see cref="Exactly"/>: a probe whose answer was late rightly ends
    /// also what began up to so much later, or moves nothing that was born up to so much after a log-out.
    /// </summary>
    public async Task RecoverExactlyAsync(RedisServer redis)
    {
        Watch.Automatic.ShouldBeFalse();
        Hurry(Patient);
        await Pending.LoadAsync(CancellationToken.None);
        var clock = await ClockAsync(redis);
        (await Get<JournalReplay>().RunAsync(clock, CancellationToken.None)).ShouldBe(ReplayOutcome.Complete);
        (await Get<SessionMover>().RunAsync(clock, CancellationToken.None)).ShouldBeTrue();
        await RecoverAsync();
    }

    /// <summary>Redis's clock, as a probe that took no longer than <see cref="Exactly"/> measures it.</summary>
    public static async Task<ServerClock> ClockAsync(RedisServer redis)
    {
        ServerClock clock = default;
        await Eventually.TrueAsync(async () =>
        {
            var before = TimeProvider.System.GetUtcNow();
            var time = await redis.ListAsync("TIME");
            clock = new ServerClock(
                (long.Parse(time[0]) * 1_000_000) + long.Parse(time[1]), before, TimeProvider.System.GetUtcNow(), TimeProvider.System.GetTimestamp());
            return clock.After - clock.Before < Exactly;
        });
        return clock;
    }

    /// <summary>Returns when more time has passed than the clocks may be apart.</summary>
    public static async Task PassAsync()
    {
        var until = TimeProvider.System.GetUtcNow() + (2 * Exactly);
        await Eventually.TrueAsync(() => TimeProvider.System.GetUtcNow() > until);
    }

    public async ValueTask DisposeAsync()
    {
        await provider.DisposeAsync();
        Log.Dispose();
        Meters.Dispose();
    }
}

/// <summary>A folder for journals, removed with the test.</summary>
internal sealed class JournalFolder : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("maintenance-journal-").FullName;

    public string File(string name = "a") => Path.Combine(folder, $"{name}.journal");

    public (string Name, string Value) Setting(string name = "a") => ("Storage:Outage:JournalFile", File(name));

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
