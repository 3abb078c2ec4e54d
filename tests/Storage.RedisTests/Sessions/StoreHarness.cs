using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Testing;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>A store as a host has it, on a given Redis.</summary>
internal sealed class StoreHarness : IAsyncDisposable
{
    /// <summary>Longer than a busy machine stands still.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public StoreHarness(string url, SessionOptions? options = null, SessionScripts? scripts = null, RepairScripts? repairs = null, TimeSpan? deadline = null)
        : this(deadline is { } hasty ? new RedisOptions { Url = url, Deadline = hasty } : Patient(url), options, scripts, repairs)
    {
    }

    public StoreHarness(RedisOptions redis, SessionOptions? options = null, SessionScripts? scripts = null, RepairScripts? repairs = null)
    {
        Options = new OptionsMonitorStub(options ?? new SessionOptions());
        Keys = new RedisKeys(redis.KeyPrefix);
        var logger = Log.For<RedisSessionStore>();
        Connection = new RedisConnection(redis, TimeProvider.System, logger);
        Store = new RedisSessionStore(Connection, Keys, Options, logger, scripts ?? SessionScripts.Default);
        Repair = new SessionRepair(Connection, Keys, Options, repairs ?? RepairScripts.Default);
    }

    public RedisConnection Connection { get; }

    public RedisKeys Keys { get; }

    public LogCollector Log { get; } = new();

    public OptionsMonitorStub Options { get; }

    public RedisSessionStore Store { get; }

    public SessionRepair Repair { get; }

    /// <summary>Options for a server that answers: neither connecting nor a call fails because the machine stands still for some seconds.</summary>
    public static RedisOptions Patient(string url) => new() { Url = url, Deadline = Patience, ConnectTimeout = Patience };

    public static string NewUserId() => Guid.NewGuid().ToString("D");

    public string RecordKey(IssuedSession issued) => Keys.Session(UserReference.Of(issued.Session.UserId), issued.Token.Id);

    public string IndexKey(string userId) => Keys.SessionIndex(UserReference.Of(userId));

    public string GenerationKey(string userId) => Keys.Generation(UserReference.Of(userId));

    public Task<IssuedSession> LogInAsync(string userId, string? device = null) =>
        Store.CreateAsync(new NewSession { UserId = userId, DeviceName = device }, CancellationToken.None);

    public Task<SessionValidation> ValidateAsync(IssuedSession issued) => Store.ValidateAsync(issued.Token.Value, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        Log.Dispose();
    }

    internal sealed class OptionsMonitorStub(SessionOptions value) : IOptionsMonitor<SessionOptions>
    {
        public SessionOptions CurrentValue { get; } = value;

        public SessionOptions Get(string? name) => CurrentValue;

        public IDisposable? OnChange(Action<SessionOptions, string?> listener) => null;
    }
}
