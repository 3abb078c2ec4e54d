using Maintenance.Storage.Histories.Sweeping;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Sessions.Repair;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Histories.Running;

/// <summary>What a history runs against: the store and the jobs, as they are or with one planted bug.</summary>
internal sealed record Product
{
    public static Product Real { get; } = new();

    public SessionScripts Sessions { get; init; } = SessionScripts.Default;

    public RepairScripts Repairs { get; init; } = RepairScripts.Default;

    /// <summary>Puts another store in front of the real one.</summary>
    public Func<ISessionStore, RedisConnection, RedisKeys, ISessionStore> Decorate { get; init; } = (store, _, _) => store;

    public (ISessionStore Store, Sweeper Sweeper) Build(RedisConnection connection, RedisKeys keys, SessionOptions options)
    {
        var monitor = new FixedOptions(options);
        var store = new RedisSessionStore(connection, keys, monitor, NullLogger.Instance, Sessions);
        var repair = new SessionRepair(connection, keys, monitor, Repairs);
        return (Decorate(store, connection, keys), new Sweeper(connection, keys, repair));
    }

    private sealed class FixedOptions(SessionOptions value) : IOptionsMonitor<SessionOptions>
    {
        public SessionOptions CurrentValue => value;

        public SessionOptions Get(string? name) => value;

        public IDisposable? OnChange(Action<SessionOptions, string?> listener) => null;
    }
}
