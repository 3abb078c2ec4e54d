using Maintenance.Storage.Histories.Generation;
using Maintenance.Storage.Histories.Sweeping;
using Maintenance.Storage.Histories.Truth;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using StackExchange.Redis;

namespace Maintenance.Storage.Histories.Running;

/// <summary>One run of one history: its users, its store, and what is known about it.</summary>
internal sealed class World
{
    private static readonly TimeSpan ShortGrace = TimeSpan.FromMilliseconds(60);

    private readonly RedisConnection? connection;
    private readonly Sweeper? sweeper;

    public World(History history, Product product, RedisConnection connection)
    {
        History = history;
        this.connection = connection;
        var options = new SessionOptions
        {
            RenewalInterval = history.RenewAlways ? TimeSpan.Zero : TimeSpan.FromMinutes(1),
            RotationGrace = history.ShortGrace ? ShortGrace : TimeSpan.FromMinutes(1),
        };
        Grace = options.RotationGrace;
        Keys = new RedisKeys($"h{Guid.NewGuid():N}:");
        UserIds = NewUserIds(history.Users);
        References = [.. UserIds.Select(UserReference.Of)];
        (Store, sweeper) = product.Build(connection, Keys, options);
        Ledger = new Ledger(TimeProvider.System, Grace);
    }

    /// <summary>A world without Redis: no step may damage it, and no job sweeps it.</summary>
    public World(History history, ISessionStore store, SessionOptions options)
    {
        History = history;
        Grace = options.RotationGrace;
        Keys = new RedisKeys("");
        UserIds = NewUserIds(history.Users);
        References = [.. UserIds.Select(UserReference.Of)];
        Store = store;
        Ledger = new Ledger(TimeProvider.System, Grace);
    }

    public History History { get; }

    public RedisConnection Connection => connection ?? throw new InvalidOperationException("This world has no Redis.");

    public RedisKeys Keys { get; }

    public TimeSpan Grace { get; }

    public IReadOnlyList<string> UserIds { get; }

    public IReadOnlyList<UserReference> References { get; }

    public ISessionStore Store { get; }

    public Sweeper Sweeper => sweeper ?? throw new InvalidOperationException("This world has no Redis.");

    public Ledger Ledger { get; }

    public string RecordKey(TrackedSession session) => Keys.Session(References[session.User], session.Token.Id);

    public Task<RedisResult> CommandAsync(string command, params object[] arguments) =>
        Connection.CallAsync(database => database.ExecuteAsync(command, arguments), CancellationToken.None);

    // Always the same, because sweeps go through users in the order of their references.
    private static IReadOnlyList<string> NewUserIds(int count) => [.. Enumerable.Range(1, count).Select(number => $"00000000-0000-4000-8000-{number:D12}")];
}
