using Maintenance.Archive;
using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Maintenance.Archive.PostgresTests;

/// <summary>One host: sessions in a given Redis with a given archive.</summary>
internal sealed class Host : IAsyncDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    public Host(string redisUrl, ISessionArchive archive, SessionOptions? options = null, RedisKeys? keys = null)
    {
        Archive = archive;
        var sessions = new Fixed<SessionOptions>(options ?? new SessionOptions());
        var archiving = new Fixed<ArchiveOptions>(new ArchiveOptions());
        Keys = keys ?? new RedisKeys("");
        Connection = new RedisConnection(
            new RedisOptions { Url = redisUrl, Deadline = TimeSpan.FromSeconds(5) }, TimeProvider.System, NullLogger.Instance)
        {
            BeforeCall = () => BeforeRedis?.Invoke() ?? Task.CompletedTask,
        };
        Fence = new ArchiveFence(Connection, Keys, sessions, archiving);
        Accesses = new LastAccessBatch(archive, archiving, TimeProvider.System, NullLogger<LastAccessBatch>.Instance);
        Redis = new RedisSessionStore(Connection, Keys, sessions, NullLogger<RedisSessionStore>.Instance);
        Store = new ArchivedSessionStore(Redis, archive, Fence, Accesses, sessions, Log.For<ArchivedSessionStore>());
        Replay = new ArchiveReplay(archive, Fence);
    }

    public ISessionArchive Archive { get; }

    public RedisConnection Connection { get; }

    public RedisKeys Keys { get; }

    public ArchiveFence Fence { get; }

    public LastAccessBatch Accesses { get; }

    /// <summary>The store without its archive.</summary>
    public RedisSessionStore Redis { get; }

    public ArchivedSessionStore Store { get; }

    public ArchiveReplay Replay { get; }

    public LogCollector Log { get; } = new();

    /// <summary>Awaited before each call to Redis, to decide in which order things happen.</summary>
    public Func<Task>? BeforeRedis { get; set; }

    public Task<IssuedSession> LogInAsync(string user, string? device = null) =>
        Store.CreateAsync(new NewSession { UserId = user, DeviceName = device }, None);

    public async Task<bool> IsValidAsync(IssuedSession issued) => (await Store.ValidateAsync(issued.Token.Value, None)).IsValid;

    public string RecordKey(IssuedSession issued) => Keys.Session(UserReference.Of(issued.Session.UserId), issued.Token.Id);

    public string TombstoneKey(IssuedSession issued) => Keys.SessionTombstone(UserReference.Of(issued.Session.UserId), issued.Token.Id);

    public string GenerationKey(string user) => Keys.Generation(UserReference.Of(user));

    public async ValueTask DisposeAsync()
    {
        Accesses.Dispose();
        await Connection.DisposeAsync();
        Log.Dispose();
    }

    private sealed class Fixed<T>(T value) : IOptionsMonitor<T>
    {
        public T CurrentValue => value;

        public T Get(string? name) => value;

        public IDisposable? OnChange(Action<T, string?> listener) => null;
    }
}

/// <summary>An archive whose calls can be stopped at, to decide in which order things happen.</summary>
internal sealed class GatedArchive(ISessionArchive inner) : ISessionArchive
{
    /// <summary>Awaited after a session was read and before the reader hears of it.</summary>
    public Func<Task>? AfterFind { get; set; }

    /// <summary>Awaited after a revocation of any kind was committed and before its caller hears of it.</summary>
    public Func<Task>? AfterRevoke { get; set; }

    /// <summary>Awaited before a session is written.</summary>
    public Func<Task>? BeforeAdd { get; set; }

    /// <summary>Awaited before the second half of a rotation is written.</summary>
    public Func<Task>? BeforeComplete { get; set; }

    /// <summary>Reads of single sessions.</summary>
    public int Finds { get; private set; }

    public async Task<long?> GetGenerationAsync(UserReference user, CancellationToken cancellationToken)
    {
        var generation = await inner.GetGenerationAsync(user, cancellationToken);
        await WaitAsync(AfterFind);
        return generation;
    }

    public async Task<Session?> FindAsync(UserReference user, SessionId id, CancellationToken cancellationToken)
    {
        Finds++;
        var found = await inner.FindAsync(user, id, cancellationToken);
        await WaitAsync(AfterFind);
        return found;
    }

    public Task<IReadOnlyList<Session>> ListAsync(UserReference user, CancellationToken cancellationToken) => inner.ListAsync(user, cancellationToken);

    public async Task<bool> AddAsync(Session session, IReadOnlyCollection<SessionId> evicted, CancellationToken cancellationToken)
    {
        await WaitAsync(BeforeAdd);
        return await inner.AddAsync(session, evicted, cancellationToken);
    }

    public async Task BeginRotationAsync(UserReference user, SessionId old, TimeSpan grace, CancellationToken cancellationToken)
    {
        await inner.BeginRotationAsync(user, old, grace, cancellationToken);
        await WaitAsync(AfterRevoke);
    }

    public async Task<bool> CompleteRotationAsync(SessionId old, Session rotated, CancellationToken cancellationToken)
    {
        await WaitAsync(BeforeComplete);
        return await inner.CompleteRotationAsync(old, rotated, cancellationToken);
    }

    public async Task<ArchivedRevocation> RevokeAsync(UserReference user, SessionId id, TimeSpan keep, CancellationToken cancellationToken)
    {
        var revoked = await inner.RevokeAsync(user, id, keep, cancellationToken);
        await WaitAsync(AfterRevoke);
        return revoked;
    }

    public async Task<long> RevokeAllAsync(UserReference user, long above, SessionId? except, TimeSpan keep, CancellationToken cancellationToken)
    {
        var generation = await inner.RevokeAllAsync(user, above, except, keep, cancellationToken);
        await WaitAsync(AfterRevoke);
        return generation;
    }

    public Task RaiseGenerationAsync(UserReference user, long generation, SessionId? except, TimeSpan keep, CancellationToken cancellationToken) =>
        inner.RaiseGenerationAsync(user, generation, except, keep, cancellationToken);

    public Task TouchAsync(IReadOnlyCollection<SessionTouch> touches, CancellationToken cancellationToken) => inner.TouchAsync(touches, cancellationToken);

    public IAsyncEnumerable<ArchiveChange> ChangesSinceAsync(DateTimeOffset since, CancellationToken cancellationToken) =>
        inner.ChangesSinceAsync(since, cancellationToken);

    public Task<int> EraseAsync(UserReference user, TimeSpan keep, CancellationToken cancellationToken) => inner.EraseAsync(user, keep, cancellationToken);

    public Task<long> CountExpiredAsync(CancellationToken cancellationToken) => inner.CountExpiredAsync(cancellationToken);

    public Task<int> DeleteExpiredAsync(int atMost, CancellationToken cancellationToken) => inner.DeleteExpiredAsync(atMost, cancellationToken);

    private static Task WaitAsync(Func<Task>? gate) => gate?.Invoke() ?? Task.CompletedTask;
}

/// <summary>Stops whoever passes first until it is opened; those after the first pass.</summary>
internal sealed class Gate
{
    private readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int passes;

    public Task PassAsync()
    {
        if (Interlocked.Increment(ref passes) > 1)
        {
            return Task.CompletedTask;
        }

        reached.SetResult();
        return opened.Task;
    }

    /// <summary>Returns when somebody stands at the gate.</summary>
    public Task ReachedAsync() => reached.Task.WaitAsync(TimeSpan.FromSeconds(60));

    public void Open() => opened.SetResult();
}
