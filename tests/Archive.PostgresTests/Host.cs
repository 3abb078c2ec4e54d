using Maintenance.Archive;
using Maintenance.Storage;
using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Maintenance.Archive.PostgresTests;

/// <summary>One host: sessions in a given Redis with a given archive.</summary>
internal sealed class Host : IAsyncDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly ArchiveReadThrough through;

    public Host(string redisUrl, ISessionArchive archive, SessionOptions? options = null, RedisKeys? keys = null, TimeProvider? clockOfMisses = null)
    {
        Archive = archive;
        var sessions = new Fixed<SessionOptions>(options ?? new SessionOptions());
        var archiving = new Fixed<ArchiveOptions>(new ArchiveOptions());
        Keys = keys ?? new RedisKeys("");
        Connection = new RedisConnection(
            new RedisOptions { Url = redisUrl, Deadline = TimeSpan.FromSeconds(30), ConnectTimeout = TimeSpan.FromSeconds(30) }, TimeProvider.System, NullLogger.Instance)
        {
            BeforeCall = () => BeforeRedis?.Invoke() ?? Task.CompletedTask,
        };
        Fence = new ArchiveFence(Connection, Keys, sessions, archiving);
        through = new ArchiveReadThrough(archive, Fence, sessions, clockOfMisses ?? TimeProvider.System);
        Accesses = new LastAccessBatch(archive, archiving, TimeProvider.System, NullLogger<LastAccessBatch>.Instance);
        Redis = new RedisSessionStore(Connection, Keys, sessions, NullLogger<RedisSessionStore>.Instance) { HasArchive = true };
        Store = new ArchivedSessionStore(Redis, archive, Fence, through, Accesses, sessions, Log.For<ArchivedSessionStore>());
        RedisFamilies = new RedisRefreshTokenStore(Connection, Keys, new Fixed<RefreshTokenOptions>(new()), new Fixed<TokenLifetimeOptions>(new()), sessions);
        Families = new ArchivedRefreshTokenStore(RedisFamilies, () => Store);
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

    /// <summary>Refresh tokens without the archive.</summary>
    public RedisRefreshTokenStore RedisFamilies { get; }

    public IRefreshTokenStore Families { get; }

    public ArchiveReplay Replay { get; }

    public LogCollector Log { get; } = new();

    /// <summary>Awaited before each call to Redis, to decide in which order things happen.</summary>
    public Func<Task>? BeforeRedis { get; set; }

    public Task<IssuedSession> LogInAsync(string user, string? device = null) =>
        Store.CreateAsync(new NewSession { UserId = user, DeviceName = device }, None);

    public async Task<RefreshToken> IssueAsync(IssuedSession session) => (await Families.IssueAsync(
        new NewRefreshFamily { UserId = session.Session.UserId, SessionId = session.Token.Id }, None)).Token!;

    public async Task<bool> IsValidAsync(IssuedSession issued) => (await Store.ValidateAsync(issued.Token.Value, None)).IsValid;

    public string RecordKey(IssuedSession issued) => Keys.Session(UserReference.Of(issued.Session.UserId), issued.Token.Id);

    public string TombstoneKey(IssuedSession issued) => Keys.SessionTombstone(UserReference.Of(issued.Session.UserId), issued.Token.Id);

    public string GenerationKey(string user) => Keys.Generation(UserReference.Of(user));

    public async ValueTask DisposeAsync()
    {
        Accesses.Dispose();
        through.Dispose();
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
