using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Storage.Tokens.Repair;
using Maintenance.Testing;
using Maintenance.Worker.IndexReconciliation;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Maintenance.Worker.SessionCleanup;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.RedisTests;

/// <summary>A store as a host has it and the sweeping jobs as the worker has them, on one real Redis.</summary>
internal sealed class SweepHarness : IAsyncDisposable
{
    private readonly RedisServer server;

    public SweepHarness(RedisServer server, SessionOptions? sessions = null, string prefix = "", TimeSpan? deadline = null)
    {
        this.server = server;
        Keys = new RedisKeys(prefix);
        var options = new Fixed<SessionOptions>(sessions ?? new SessionOptions());
        var redis = JobHarness.Options(server);
        (redis.KeyPrefix, redis.Deadline) = (prefix, deadline ?? redis.Deadline);
        Connection = new RedisConnection(redis, TimeProvider.System, NullLogger.Instance);
        Store = new RedisSessionStore(Connection, Keys, options, NullLogger<RedisSessionStore>.Instance);
        Repair = new SessionRepair(Connection, Keys, options);
        TokenRepair = new TokenRepair(Connection, Keys);
        Metrics = new SweepMetrics(Meters);
        Reconciliation = new IndexReconciliationJob(
            Connection, Keys, Repair, TokenRepair, new Fixed<IndexReconciliationOptions>(ReconciliationOptions), Metrics, TimeProvider.System);
        Cleanup = new SessionCleanupJob(Connection, Keys, Repair, TokenRepair, new Fixed<SessionCleanupOptions>(CleanupOptions), Metrics);
    }

    public TestMeterFactory Meters { get; } = new();

    public SweepMetrics Metrics { get; }

    public RedisConnection Connection { get; }

    public RedisKeys Keys { get; }

    public RedisSessionStore Store { get; }

    public SessionRepair Repair { get; }

    public TokenRepair TokenRepair { get; }

    public IndexReconciliationOptions ReconciliationOptions { get; } = new();

    public SessionCleanupOptions CleanupOptions { get; } = new();

    public IndexReconciliationJob Reconciliation { get; }

    public SessionCleanupJob Cleanup { get; }

    public static string NewUserId() => Guid.NewGuid().ToString("D");

    public static JobContext Context(bool dryRun = false, BrakeOptions? brake = null, WorkBudget? budget = null, IProgress<JobProgress>? progress = null) => new()
    {
        DryRun = dryRun,
        Budget = budget ?? WorkBudget.FullSpeed(TimeProvider.System),
        Brake = new Brake(brake ?? new BrakeOptions()),
        Progress = progress,
    };

    public async Task<JobReport> ReconcileAsync(bool dryRun = false, BrakeOptions? brake = null)
    {
        var context = Context(dryRun, brake);
        await Reconciliation.RunAsync(context, CancellationToken.None);
        context.Report.ErrorCount.ShouldBe(0, string.Join('\n', context.Report.Close().Errors));
        return context.Report;
    }

    public async Task<JobReport> CleanAsync(bool dryRun = false, BrakeOptions? brake = null)
    {
        var context = Context(dryRun, brake);
        await Cleanup.RunAsync(context, CancellationToken.None);
        context.Report.ErrorCount.ShouldBe(0, string.Join('\n', context.Report.Close().Errors));
        return context.Report;
    }

    public Task<IssuedSession> LogInAsync(string userId, TimeSpan? sliding = null) =>
        Store.CreateAsync(new NewSession { UserId = userId, UserAgent = "Mozilla/5.0", SlidingExpiration = sliding }, CancellationToken.None);

    /// <summary>Users with one to four sessions each, made through the store.</summary>
    public async Task<List<List<IssuedSession>>> PopulateAsync(int users)
    {
        var all = new List<List<IssuedSession>>();
        foreach (var chunk in Enumerable.Range(0, users).Chunk(500))
        {
            all.AddRange(await Task.WhenAll(chunk.Select(async number =>
            {
                var userId = NewUserId();
                var sessions = new List<IssuedSession>();
                for (var i = 0; i <= number % 4; i++)
                {
                    sessions.Add(await LogInAsync(userId));
                }

                return sessions;
            })));
        }

        return all;
    }

    public async Task<bool> IsValidAsync(IssuedSession session) => (await Store.ValidateAsync(session.Token.Value, CancellationToken.None)).IsValid;

    public string Index(IssuedSession session) => Keys.SessionIndex(session.Token.User);

    public string Record(IssuedSession session) => Keys.Session(session.Token.User, session.Token.Id);

    public string Generation(IssuedSession session) => Keys.Generation(session.Token.User);

    public static long Expiry(IssuedSession session) => session.Session.ExpiresAt.ToUnixTimeMilliseconds();

    /// <summary>Everything in the database: names, values (serialized by the server) and expiry times.</summary>
    public Task<string> DumpAsync() => DumpAsync(server);

    /// <summary>The same of any server.</summary>
    public static async Task<string> DumpAsync(RedisServer server)
    {
        var names = await server.KeysAsync();
        var values = await server.ExecuteManyAsync(names.Select(name => new[] { "DEBUG", "DIGEST-VALUE", name }));
        var lives = await server.ExecuteManyAsync(names.Select(name => new[] { "PEXPIRETIME", name }));
        return string.Join('\n', names.Select((name, i) => $"{name} {((object?[])values[i]!)[0]} {lives[i]}"));
    }

    /// <summary>Index and sessions of every user agree both ways: members, scores and life. Of a cluster: on one node.</summary>
    public async Task ShouldAgreeAsync(RedisServer? node = null)
    {
        var asked = node ?? server;
        var expected = new SortedDictionary<string, SortedDictionary<string, long>>(StringComparer.Ordinal);
        foreach (var name in await asked.KeysAsync(Keys.Prefix + "session:*"))
        {
            if (Keys.TryParse(name, out var parsed) && parsed.Kind == StateKind.Session)
            {
                var index = Keys.SessionIndex(parsed.User);
                expected.TryAdd(index, new SortedDictionary<string, long>(StringComparer.Ordinal));
                expected[index][parsed.Id.Value] = await asked.IntegerAsync("PEXPIRETIME", name);
            }
        }

        (await asked.KeysAsync(Keys.Prefix + "user:sessions:*")).ShouldBe(expected.Keys);
        foreach (var (index, sessions) in expected)
        {
            var members = await asked.ListAsync("ZRANGE", index, "0", "-1", "WITHSCORES");
            members.Where((_, i) => i % 2 == 0).Order(StringComparer.Ordinal).ShouldBe(sessions.Keys);
            for (var i = 0; i < members.Count; i += 2)
            {
                Math.Abs(double.Parse(members[i + 1]) - sessions[members[i]]).ShouldBeLessThanOrEqualTo(2000);
            }

            Math.Abs(await asked.IntegerAsync("PEXPIRETIME", index) - sessions.Values.Max()).ShouldBeLessThanOrEqualTo(2000, index);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        Meters.Dispose();
    }

    internal sealed class Fixed<T>(T value) : IOptionsMonitor<T>
    {
        public T CurrentValue => value;

        public T Get(string? name) => value;

        public IDisposable? OnChange(Action<T, string?> listener) => null;
    }
}
