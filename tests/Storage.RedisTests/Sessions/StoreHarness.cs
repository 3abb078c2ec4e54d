using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Sessions.Repair;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>A store as a host has it, on a given Redis.</summary>
internal sealed class StoreHarness : IAsyncDisposable
{
    public StoreHarness(string url, SessionOptions? options = null, SessionScripts? scripts = null, RepairScripts? repairs = null, TimeSpan? deadline = null)
    {
        Options = new OptionsMonitorStub(options ?? new SessionOptions());
        Connection = new RedisConnection(
            new RedisOptions { Url = url, Deadline = deadline ?? TimeSpan.FromSeconds(2) }, TimeProvider.System, NullLogger.Instance);
        Store = new RedisSessionStore(Connection, Keys, Options, NullLogger.Instance, scripts ?? SessionScripts.Default);
        Repair = new SessionRepair(Connection, Keys, Options, repairs ?? RepairScripts.Default);
    }

    public RedisConnection Connection { get; }

    public RedisKeys Keys { get; } = new("");

    public OptionsMonitorStub Options { get; }

    public RedisSessionStore Store { get; }

    public SessionRepair Repair { get; }

    public static string NewUserId() => Guid.NewGuid().ToString("D");

    public ValueTask DisposeAsync() => Connection.DisposeAsync();

    internal sealed class OptionsMonitorStub(SessionOptions value) : IOptionsMonitor<SessionOptions>
    {
        public SessionOptions CurrentValue { get; } = value;

        public SessionOptions Get(string? name) => CurrentValue;

        public IDisposable? OnChange(Action<SessionOptions, string?> listener) => null;
    }
}
