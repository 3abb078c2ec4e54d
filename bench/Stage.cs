using System.Net;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Maintenance.Bench;

/// <summary>A real redis-server of its own and a store on it.</summary>
internal sealed class Stage : IAsyncDisposable
{
    private Stage(RedisServer server)
    {
        Server = server;
        Connection = new RedisConnection(
            new RedisOptions { Url = server.Url, Deadline = TimeSpan.FromSeconds(30) }, TimeProvider.System, NullLogger.Instance);
        Store = new RedisSessionStore(Connection, Keys, new Fixed<SessionOptions>(new SessionOptions()), NullLogger<RedisSessionStore>.Instance);
    }

    public RedisServer Server { get; }

    public RedisConnection Connection { get; }

    public RedisKeys Keys { get; } = new("");

    public RedisSessionStore Store { get; }

    public static async Task<Stage> StartAsync() => new(await RedisServer.StartAsync());

    /// <summary>The reference session: user id a GUID, IPv4, a user agent of 80 characters, a device name of 20, no claims.</summary>
    public static NewSession ReferenceSession(string userId) => new()
    {
        UserId = userId,
        IpAddress = IPAddress.Parse("203.0.113.195"),
        UserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML) Chrome/142.0 Safari/5"[..80],
        DeviceName = "Kitchen tablet, blue",
    };

    /// <summary>Creates users with sessions each, 64 at a time.</summary>
    public async Task<List<SessionToken>> FillAsync(int users, int sessionsEach)
    {
        var tokens = new SessionToken[users * sessionsEach];
        await Parallel.ForAsync(0, users, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (user, token) =>
        {
            var session = ReferenceSession(Guid.NewGuid().ToString("D"));
            for (var i = 0; i < sessionsEach; i++)
            {
                tokens[(user * sessionsEach) + i] = (await Store.CreateAsync(session, token)).Token;
            }
        });
        return [.. tokens];
    }

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        await Server.DisposeAsync();
    }
}

/// <summary>Options that never change.</summary>
internal sealed class Fixed<T>(T value) : IOptionsMonitor<T>
{
    public T CurrentValue => value;

    public T Get(string? name) => value;

    public IDisposable? OnChange(Action<T, string?> listener) => null;
}
