using Maintenance.Storage.Analytics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Storage.RedisTests.Tokens;

/// <summary>Auth storage as <c>AddAuthStorage</c> gives it to a host, on Redis or in memory, with a way to let time pass.</summary>
public abstract class AuthBed : IAsyncDisposable
{
    private readonly ServiceProvider provider;

    private protected AuthBed(TimeProvider clock, IEnumerable<(string Name, string Value)> settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.GroupBy(setting => setting.Name).Select(each => KeyValuePair.Create(each.Key, (string?)each.Last().Value)))
            .Build();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(clock);
        services.AddAuthStorage(configuration);
        provider = services.BuildServiceProvider();
    }

    public ISessionStore Sessions => Get<ISessionStore>();

    /// <summary>The sessions without what tidies their families: as after a step that got lost in between.</summary>
    public abstract ISessionStore SessionsAlone { get; }

    public IRefreshTokenStore Families => Get<IRefreshTokenStore>();

    public T Get<T>()
        where T : notnull => provider.GetRequiredService<T>();

    public static string NewUserId() => Guid.NewGuid().ToString("D");

    /// <summary>
    /// Returns when the log-ins so far are recorded. They are sent before their answer, but a script that the server does not know yet is sent once more
    /// with its text, after what others have sent by then; and of a session that has ended meanwhile nothing is recorded.
    /// </summary>
    public Task RecordedAsync() => Sessions.ShouldBeOfType<RecordingSessionStore>().DrainAsync();

    /// <summary>Returns when the store's clock has moved on by this much.</summary>
    public abstract Task PassAsync(TimeSpan time);

    /// <summary>Starts calls at once and returns their answers.</summary>
    public static Task<T[]> AtOnceAsync<T>(int count, Func<int, Task<T>> call) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(() => call(i))));

    public async ValueTask DisposeAsync()
    {
        await provider.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

/// <summary>On a real server; time passes by itself, and is awaited on the server's clock.</summary>
public sealed class RedisAuthBed(RespServer server, params (string Name, string Value)[] settings)
    : AuthBed(TimeProvider.System, [("Storage:Redis:Url", server.Url), ("Storage:Redis:Deadline", "00:00:30"), ("Storage:Redis:ConnectTimeout", "00:00:30"), .. settings])
{
    public RedisKeys Keys => Get<RedisKeys>();

    public override ISessionStore SessionsAlone => Get<RedisSessionStore>();

    public override async Task PassAsync(TimeSpan time)
    {
        var until = await NowAsync() + (long)time.TotalMicroseconds;
        await Eventually.TrueAsync(async () => await NowAsync() > until, time + TimeSpan.FromSeconds(60));
    }

    private async Task<long> NowAsync()
    {
        var parts = await server.ListAsync("TIME");
        return (long.Parse(parts[0]) * 1_000_000) + long.Parse(parts[1]);
    }
}

/// <summary>In memory, on a clock that the test moves.</summary>
public sealed class MemoryAuthBed(ManualTimeProvider clock, params (string Name, string Value)[] settings)
    : AuthBed(clock, [("Storage:Redis:Enabled", "false"), .. settings])
{
    public override ISessionStore SessionsAlone => Get<InMemorySessionStore>();

    public override Task PassAsync(TimeSpan time)
    {
        clock.Advance(time);
        return Task.CompletedTask;
    }
}
