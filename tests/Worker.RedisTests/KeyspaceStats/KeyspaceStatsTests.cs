using Maintenance.Prometheus;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.KeyspaceStats;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Worker.RedisTests.KeyspaceStats;

public sealed class KeyspaceStatsTests
{
    private static readonly string User = UserReference.Of("user-1").ToTagged();
    private static readonly string Id = new('a', SessionId.Length);

    public static TheoryData<StateKind, Func<int, string>> Names => new()
    {
        { StateKind.Session, i => $"session:{Tag(i)}:{IdOf(i)}" },
        { StateKind.SessionIndex, i => $"user:sessions:{Tag(i)}" },
        { StateKind.Generation, i => $"user:generation:{Tag(i)}" },
        { StateKind.RefreshToken, i => $"auth:refresh:{Tag(i)}:{IdOf(i)}" },
        { StateKind.RefreshTokenIndex, i => $"auth:refresh:user:{Tag(i)}" },
        { StateKind.TwoFactorChallenge, i => $"2fa:challenge:{Tag(i)}:{IdOf(i)}" },
        { StateKind.PasswordReset, i => $"pwd:reset:{Tag(i)}:{IdOf(i)}" },
        { StateKind.OAuthState, i => $"oauth:state:{IdOf(i)}" },
        { StateKind.DenylistEntry, i => $"blacklist:{IdOf(i)}" },
        { StateKind.RateLimit, i => $"rate:limit:login:{IdOf(i)}" },
        { StateKind.Profile, i => $"user:profile:{Tag(i)}" },
        { StateKind.Cache, i => $"cache:{i}" },
        { StateKind.SessionActivity, i => $"session:activity:{Tag(i)}:{IdOf(i)}" },
        { StateKind.Maintenance, i => $"maintenance:lease:{i}" },
        { StateKind.TwoFactorChallengeIndex, i => $"2fa:challenge:user:{Tag(i)}" },
        { StateKind.TwoFactorUser, i => $"2fa:user:{Tag(i)}" },
        { StateKind.PasswordResetIndex, i => $"pwd:reset:user:{Tag(i)}" },
        { StateKind.EmailVerification, i => $"email:verify:{Tag(i)}:{IdOf(i)}" },
        { StateKind.EmailVerificationIndex, i => $"email:verify:user:{Tag(i)}" },
        { StateKind.MagicLink, i => $"magic:link:{Tag(i)}:{IdOf(i)}" },
        { StateKind.MagicLinkIndex, i => $"magic:link:user:{Tag(i)}" },
        { StateKind.CacheEpoch, i => $"user:cache:{Tag(i)}" },
        { StateKind.DataProtection, i => $"dataprotection:{IdOf(i)}" },
        { StateKind.UserStats, i => $"user:stats:{Tag(i)}" },
        { StateKind.UserDevices, i => $"user:devices:{Tag(i)}" },
        { StateKind.UserHistory, i => $"user:history:{Tag(i)}" },
        { StateKind.DayLogins, i => $"stats:logins:{{2030-01-{i + 1:00}}}" },
        { StateKind.DayUsers, i => $"stats:users:{{2030-01-{i + 1:00}}}" },
        { StateKind.SessionTombstone, i => $"session:ended:{Tag(i)}:{IdOf(i)}" },
        { StateKind.ArchiveFence, i => $"user:fence:{Tag(i)}" },
    };

    [Fact]
    public async Task Counts_AreThoseOfWhatIsThere_ForEveryKind()
    {
        await using var server = await RedisServer.StartAsync();
        using var harness = new Harness(server);
        var names = Names.Select(row => ((StateKind)row[0], (Func<int, string>)row[1])).ToList();
        names.Select(row => row.Item1).ShouldBe(StateKinds.All, "a kind without a name here is not tested");
        // One key of the first kind, two of the second, and so on, plus names that are nearly ours.
        await server.ExecuteManyAsync(names.SelectMany((row, at) => Enumerable.Range(0, at + 1).Select(i => new[] { "SET", row.Item2(i), "x", "EX", "3600" })));
        await server.ExecuteManyAsync(((string[])["sess:abc", $"session:{User}:short", $"session:{User[1..]}:{Id}", "users", "user:sessions:x"]).Select(name => new[] { "SET", name, "x" }));

        using var scanned = harness.Scanned();
        var result = await harness.RunAsync();

        result.Outcome.ShouldBe(JobOutcome.Success);
        scanned.Sum().ShouldBe(result.Counts["keys_scanned"]);
        var kinds = harness.Latest.Value!.Kinds;
        kinds.Count.ShouldBe(StateKinds.All.Count + 1);
        for (var i = 0; i < names.Count; i++)
        {
            kinds[names[i].Item1.Label()].Keys.ShouldBe(i + 1, names[i].Item1.ToString());
            harness.Gauge("maintenance.keyspace.keys", names[i].Item1.Label()).ShouldBe(i + 1);
            harness.Gauge("maintenance.keyspace.bytes", names[i].Item1.Label()).ShouldNotBeNull().ShouldBePositive();
        }

        kinds["foreign"].Keys.ShouldBe(5);
        kinds["foreign"].Bytes.ShouldBeNull("what is not ours is not looked at");
        result.Counts["keys_scanned"].ShouldBe((names.Count * (names.Count + 1) / 2) + 5);
    }

    [Fact]
    public async Task Sessions_AreCounted_AndUsersOnce()
    {
        await using var server = await RedisServer.StartAsync();
        using var harness = new Harness(server);
        // 30 users with 1, 2 or 3 sessions, and 5 whose index is all that is left.
        await server.ExecuteManyAsync(Enumerable.Range(0, 30).SelectMany(user =>
            Enumerable.Range(0, 1 + (user % 3)).Select(session => new[] { "SET", $"session:{Tag(user)}:{IdOf(session)}", "x", "EX", "3600" })));
        await server.ExecuteManyAsync(Enumerable.Range(100, 5).Select(user => new[] { "ZADD", $"user:sessions:{Tag(user)}", "1", IdOf(1) }));

        await harness.RunAsync();

        harness.Total("maintenance.sessions.active").ShouldBe(60);
        harness.Total("maintenance.users.active").ShouldBe(30);
    }

    [Fact]
    public async Task TtlHistogram_HasEachKeyInItsBucket()
    {
        await using var server = await RedisServer.StartAsync();
        using var harness = new Harness(server);
        var lives = new (int Seconds, int Keys)[] { (50, 3), (250, 1), (3000, 2), (80_000, 4), (3_000_000, 1) };
        var at = 0;
        await server.ExecuteManyAsync(lives.SelectMany(life => Enumerable.Range(0, life.Keys).Select(_ => new[] { "SET", $"cache:{at++}", "x", "EX", $"{life.Seconds}" })));
        async Task<double> LeftAsync() => (await server.ExecuteManyAsync(Enumerable.Range(0, at).Select(i => new[] { "PTTL", $"cache:{i}" }))).Sum(left => (long)left! / 1000.0);
        var before = await LeftAsync();

        await harness.RunAsync();

        var after = await LeftAsync();
        var figures = harness.Latest.Value!.Kinds["cache"];
        figures.Ttl.ShouldBe([0, 3, 1, 0, 2, 0, 0, 4, 0, 0, 0, 1]);
        figures.TtlSumSeconds.ShouldBeInRange(after - at, before + at, "to the second");
        harness.Histogram("cache").ShouldBe(11);
    }

    [Fact]
    public async Task Figures_AreScaledUp_WhenThereAreMoreKeysThanTheSample()
    {
        await using var server = await RedisServer.StartAsync();
        using var harness = new Harness(server, new KeyspaceStatsOptions { SampleKeysPerKind = 400 });
        await server.ExecuteManyAsync(Enumerable.Range(0, 4000).Select(i => new[] { "SET", $"cache:{i}", new string('x', 200), "EX", i % 4 == 0 ? "30" : "7200" }));
        var bytes = await server.IntegerAsync("MEMORY", "USAGE", "cache:1") * 4000;

        await harness.RunAsync();

        var figures = harness.Latest.Value!.Kinds["cache"];
        figures.Keys.ShouldBe(4000);
        figures.Sampled.ShouldBe(400);
        figures.Bytes.ShouldNotBeNull().ShouldBeInRange((long)(bytes * 0.95), (long)(bytes * 1.05));
        figures.Ttl!.Sum().ShouldBe(4000);
        // A quarter, within five standard errors of a sample of 400.
        figures.Ttl![1].ShouldBeInRange(560, 1440);
    }

    [Fact]
    public async Task Bytes_AreAbsent_WhenTheServerDoesNotTell()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { RefusedCommands = ["MEMORY"] });
        await server.ExecuteAsync("SET", "cache:a", "x", "EX", "60");
        using var harness = new Harness(server);

        var result = await harness.RunAsync();

        result.Unavailable.ShouldBe(["MEMORY USAGE"]);
        harness.Gauge("maintenance.keyspace.keys", "cache").ShouldBe(1);
        harness.Gauge("maintenance.keyspace.bytes", "cache").ShouldBeNull();
    }

    [Fact]
    public async Task Run_CountsOnGarnetToo()
    {
        await using var server = await GarnetServer.StartAsync();
        await server.ExecuteManyAsync(Enumerable.Range(0, 300).Select(i => new[] { "SET", $"session:{Tag(i)}:{IdOf(i)}", "x", "EX", "3600" }));
        using var harness = new Harness(server);

        var result = await harness.RunAsync();

        result.Outcome.ShouldBe(JobOutcome.Success, string.Join(' ', result.Errors));
        harness.Total("maintenance.sessions.active").ShouldBe(300);
        harness.Total("maintenance.users.active").ShouldBe(300);
        harness.Latest.Value!.Kinds["session"].Ttl![4].ShouldBe(300);
    }

    [Fact]
    public async Task Run_Warns_WhenSessionsLieUnderAnotherPrefix()
    {
        await using var server = await RedisServer.StartAsync();
        await server.ExecuteAsync("SET", $"shop:session:{Tag(1)}:{IdOf(1)}", "x", "EX", "60");
        using var harness = new Harness(server);

        (await harness.RunAsync()).Warnings.ShouldHaveSingleItem().ShouldContain("'shop:'");
    }

    [Fact]
    public async Task Metrics_AreAbsent_BeforeTheFirstWalk()
    {
        await using var server = await RedisServer.StartAsync();
        using var harness = new Harness(server);

        harness.Total("maintenance.sessions.active").ShouldBeNull();
        harness.Gauge("maintenance.keyspace.keys", "session").ShouldBeNull();
    }

    private static string Tag(int user) => UserReference.Of($"user-{user}").ToTagged();

    private static string IdOf(int session) => session.ToString("D22");

    private sealed class Harness : IDisposable
    {
        private readonly TestMeterFactory meters = new();
        private readonly RedisConnection connection;
        private readonly KeyspaceStatsJob job;
        private readonly KeyspaceStatsMetrics metrics;

        public Harness(RespServer server, KeyspaceStatsOptions? options = null)
        {
            connection = new RedisConnection(JobHarness.Options(server), TimeProvider.System, NullLogger.Instance);
            job = new KeyspaceStatsJob(connection, new RedisKeys(""), JobHarness.Monitor(options ?? new KeyspaceStatsOptions()), new SweepMetrics(meters), TimeProvider.System);
            metrics = new KeyspaceStatsMetrics(meters, Latest);
        }

        public LatestSnapshot<KeyspaceStatsSnapshot> Latest { get; } = new();

        public Task<JobResult> RunAsync() => JobHarness.RunAsync(job, metrics);

        public MetricCollector<long> Scanned() => new(meters, "maintenance.keys.scanned");

        public double? Gauge(string instrument, string kind) => Read(instrument, ("kind", kind));

        public double? Total(string instrument) => Read(instrument);

        /// <summary>The count of all buckets.</summary>
        public double? Histogram(string kind)
        {
            using var collector = new MetricCollector<double>(meters, "maintenance.keyspace.ttl");
            return collector.Observe().Where(measurement => measurement.Has(("kind", kind))).Max(measurement => measurement.Value);
        }

        public void Dispose()
        {
            meters.Dispose();
            _ = connection.DisposeAsync().AsTask();
        }

        private double? Read(string instrument, params (string, string)[] tags)
        {
            using var collector = new MetricCollector<double>(meters, instrument);
            return collector.Observe().SingleOrDefault(measurement => measurement.Has(tags))?.Value;
        }
    }
}
