using Maintenance.Storage.Denylist;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;
using Maintenance.Testing;
using Maintenance.Worker.Scheduling;
using Maintenance.Worker.SessionCleanup;

namespace Maintenance.Worker.RedisTests.SessionCleanup;

public sealed class SessionCleanupTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private SweepHarness sweep = null!;

    public async Task InitializeAsync()
    {
        await redis.Server.FlushAllAsync();
        sweep = new SweepHarness(redis.Server);
    }

    public Task DisposeAsync() => sweep.DisposeAsync().AsTask();

    private const string RateLimit = "rate:limit:login:abcdefghijklmnopqrstuv";
    private const string Denied = "blacklist:abcdefghijklmnopqrstuv";

    [Fact]
    public async Task Run_DropsExpiredMembersAndMendsTheScoresOfLivingOnes()
    {
        var users = await sweep.PopulateAsync(2000);
        foreach (var sessions in users[..50])
        {
            await redis.Server.ExecuteAsync("ZADD", sweep.Index(sessions[0]), "1000", new string('x', 22), "1000", sessions[0].Token.Id.Value);
        }

        var report = await sweep.CleanAsync();

        report.Count("expired_members_removed").ShouldBe(50);
        report.Count("scores_mended").ShouldBe(50);
        report.Count("keys_scanned").ShouldBeGreaterThanOrEqualTo(9000);
        await sweep.ShouldAgreeAsync();
        var second = await sweep.CleanAsync();
        (second.Count("expired_members_removed"), second.Count("scores_mended"), second.Count("ttl_missing")).ShouldBe((0, 0, 0));
    }

    [Fact]
    public async Task Run_GivesEachKindOfKeyWithoutATtlTheRightOne()
    {
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        var expiry = SweepHarness.Expiry(session);
        await PersistAsync(sweep.Record(session), sweep.Index(session), sweep.Generation(session));
        await redis.Server.ExecuteAsync("SET", RateLimit, "1");
        await redis.Server.ExecuteAsync("SET", Denied, "1");
        using var repaired = new MetricCollector<long>(sweep.Meters, "maintenance.keys.ttl_repaired");

        var report = await sweep.CleanAsync();

        report.Count("ttl_missing").ShouldBe(5);
        report.Count("ttl_repaired").ShouldBe(5);
        report.Count("ttl_missing_generation").ShouldBe(1);
        repaired.Sum(("keyspace", "native")).ShouldBe(5);
        (await redis.Server.IntegerAsync("PEXPIRETIME", sweep.Record(session))).ShouldBe(expiry);
        (await redis.Server.IntegerAsync("PEXPIRETIME", sweep.Index(session))).ShouldBe(expiry);
        (await redis.Server.IntegerAsync("PTTL", sweep.Generation(session))).ShouldBeGreaterThan((long)TimeSpan.FromDays(399).TotalMilliseconds);
        (await redis.Server.IntegerAsync("PTTL", RateLimit)).ShouldBeInRange(3_500_000, 3_600_000);
        (await redis.Server.IntegerAsync("PTTL", Denied)).ShouldBeInRange(2_591_900_000, 2_592_000_000);
        (await sweep.IsValidAsync(session)).ShouldBeTrue();
        (await sweep.CleanAsync()).Count("ttl_missing").ShouldBe(0);
    }

    [Theory]
    [InlineData(MissingTtlPolicy.Repair)]
    [InlineData(MissingTtlPolicy.Remove)]
    public async Task Run_GivesTokensCountsAndDenialsWithoutATtlTheLifeThatTheirValuesTell(MissingTtlPolicy policy)
    {
        await using var kinds = new KindsHarness(redis.Server);
        var userId = SweepHarness.NewUserId();
        var user = UserReference.Of(userId);
        var family = await kinds.Families.IssueAsync(new NewRefreshFamily { UserId = userId, Life = TimeSpan.FromDays(60) }, CancellationToken.None);
        var challenge = await kinds.TwoFactor.BeginAsync(new NewTwoFactorChallenge { UserId = userId, Method = "totp" }, CancellationToken.None);
        await kinds.TwoFactor.AttemptAsync(challenge.Token!.Value, CancellationToken.None);
        var reset = await kinds.OneTime.IssueAsync(OneTimePurpose.PasswordReset, userId, null, CancellationToken.None);
        var denied = DenylistId.OfTokenId(userId);
        await kinds.Denylist.DenyAsync(denied, TimeProvider.System.GetUtcNow().AddHours(2), null, CancellationToken.None);
        string[] keys =
        [
            sweep.Keys.RefreshFamily(user, family.Token!.FamilyId), sweep.Keys.RefreshIndex(user),
            sweep.Keys.ChallengesOf(user) + challenge.Token.Id.Value, sweep.Keys.ChallengeIndex(user), sweep.Keys.TwoFactorUser(user),
            sweep.Keys.OneTimeTokensOf(StateKind.PasswordReset, user) + reset.Token.Id.Value, sweep.Keys.OneTimeIndex(StateKind.PasswordReset, user),
            sweep.Keys.DenylistEntry(denied),
        ];
        var before = new List<long>();
        foreach (var key in keys)
        {
            before.Add(await redis.Server.IntegerAsync("PEXPIRETIME", key));
            await PersistAsync(key);
        }

        sweep.CleanupOptions.MissingTtl = policy;
        var report = await sweep.CleanAsync();

        (report.Count("ttl_missing"), report.Count("ttl_repaired"), report.Count("ttl_removed")).ShouldBe((keys.Length, keys.Length, 0));
        for (var i = 0; i < keys.Length; i++)
        {
            (await redis.Server.IntegerAsync("PEXPIRETIME", keys[i])).ShouldBeInRange(before[i] - 1, before[i] + 1, keys[i]);
        }

        (await kinds.Families.RotateAsync(family.Token.Value, CancellationToken.None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
    }

    [Fact]
    public async Task Run_RemovesATokenWithoutATtl_WhoseRecordSaysThatItsTimeIsOver()
    {
        await using var kinds = new KindsHarness(redis.Server);
        var userId = SweepHarness.NewUserId();
        RefreshIssue? family = null;
        // A stall may outlast its life before it is made endless: then another.
        await Eventually.TrueAsync(async () =>
        {
            await redis.Server.FlushAllAsync();
            family = await kinds.Families.IssueAsync(new NewRefreshFamily { UserId = userId, Life = TimeSpan.FromSeconds(1) }, CancellationToken.None);
            return await redis.Server.IntegerAsync("PERSIST", sweep.Keys.RefreshFamily(UserReference.Of(userId), family.Token!.FamilyId)) == 1;
        });
        await Eventually.TrueAsync(async () => ServerMilliseconds(await redis.Server.ListAsync("TIME")) > family!.Family!.ExpiresAt.ToUnixTimeMilliseconds());

        (await sweep.CleanAsync()).Count("ttl_removed").ShouldBe(1);

        (await redis.Server.KeysAsync("auth:refresh:*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Run_TakesAddressAndUserAgentOutOfIdleSessions_WhenTheirTimeIsOver()
    {
        var options = new SessionOptions { ClientDetailsLife = TimeSpan.FromMilliseconds(1) };
        await using var strict = new SweepHarness(redis.Server, options);
        var session = await strict.LogInAsync(SweepHarness.NewUserId());
        (await redis.Server.StringAsync("GET", sweep.Record(session)))!.ShouldContain("Mozilla");

        await Eventually.TrueAsync(async () => (await strict.CleanAsync(dryRun: true)).Count("client_details_removed") == 1);
        (await strict.CleanAsync()).Count("client_details_removed").ShouldBe(1);

        (await redis.Server.StringAsync("GET", sweep.Record(session)))!.ShouldNotContain("Mozilla");
        (await strict.IsValidAsync(session)).ShouldBeTrue();
        (await strict.CleanAsync()).Count("client_details_removed").ShouldBe(0);
    }

    [Fact]
    public async Task Run_RemovesASessionWithoutATtl_WhoseRecordSaysThatItsTimeIsOver()
    {
        IssuedSession? session = null;
        // A stall may outlast its life before it is made endless: then another.
        await Eventually.TrueAsync(async () =>
        {
            await redis.Server.FlushAllAsync();
            session = await sweep.LogInAsync(SweepHarness.NewUserId(), sliding: TimeSpan.FromSeconds(1));
            return await redis.Server.IntegerAsync("PERSIST", sweep.Record(session)) == 1 && await redis.Server.IntegerAsync("PERSIST", sweep.Index(session)) == 1;
        });
        await Eventually.TrueAsync(async () => ServerMilliseconds(await redis.Server.ListAsync("TIME")) > SweepHarness.Expiry(session!));

        var report = await sweep.CleanAsync();

        report.Count("ttl_removed").ShouldBe(1);
        (await redis.Server.KeysAsync("*sess*")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(MissingTtlPolicy.Repair)]
    [InlineData(MissingTtlPolicy.Remove)]
    public async Task Run_LeavesDataProtectionKeysWithoutATtl_WhateverThePolicyIs(MissingTtlPolicy policy)
    {
        var ring = sweep.Keys.DataProtection("abcdefghijklmnopqrstuv");
        await redis.Server.ExecuteAsync("HSET", ring, "key-1", "<key/>");
        sweep.CleanupOptions.MissingTtl = policy;

        var report = await sweep.CleanAsync();

        report.Count("ttl_missing").ShouldBe(0);
        (await redis.Server.IntegerAsync("PTTL", ring)).ShouldBe(-1);
    }

    [Theory]
    [InlineData(MissingTtlPolicy.Remove)]
    [InlineData(MissingTtlPolicy.Report)]
    public async Task Run_FollowsThePolicyForKeysWithoutATtl(MissingTtlPolicy policy)
    {
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        await PersistAsync(sweep.Record(session), sweep.Generation(session));
        await redis.Server.ExecuteAsync("SET", RateLimit, "1");
        await redis.Server.ExecuteAsync("SET", Denied, "1");
        sweep.CleanupOptions.MissingTtl = policy;
        var before = await sweep.DumpAsync();

        var report = await sweep.CleanAsync();

        report.Count("ttl_missing").ShouldBe(4);
        if (policy == MissingTtlPolicy.Report)
        {
            (report.Count("ttl_repaired"), report.Count("ttl_removed")).ShouldBe((0, 0));
            (await sweep.DumpAsync()).ShouldBe(before);
            return;
        }

        (await sweep.IsValidAsync(session)).ShouldBeTrue();
        // A denylist entry keeps a revoked token out, and a generation keeps its sessions alive: neither is ever removed.
        (report.Count("ttl_repaired"), report.Count("ttl_removed")).ShouldBe((3, 1));
        (await redis.Server.IntegerAsync("EXISTS", RateLimit)).ShouldBe(0);
        (await redis.Server.IntegerAsync("PTTL", Denied)).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Run_LeavesACacheKeyWithoutAPrefixAlone_BecauseAnybodyMayHaveWrittenIt()
    {
        await redis.Server.ExecuteAsync("SET", "cache:page", "for ever, on purpose");

        var report = await sweep.CleanAsync();

        report.Count("ttl_missing_unprefixed_cache").ShouldBe(1);
        report.Count("ttl_missing").ShouldBe(0);
        (await redis.Server.IntegerAsync("PTTL", "cache:page")).ShouldBe(-1);
    }

    [Fact]
    public async Task DryRun_SaysWhatItWouldDoAndChangesNothing()
    {
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        await redis.Server.ExecuteManyAsync(Enumerable.Range(0, 450).Select(number => new[] { "ZADD", sweep.Index(session), "1000", $"{number:D22}" }));
        await PersistAsync(sweep.Record(session));
        var before = await sweep.DumpAsync();

        var report = await sweep.CleanAsync(dryRun: true);

        report.Count("expired_members_removed").ShouldBe(450);
        report.Count("ttl_repaired").ShouldBe(1);
        (await sweep.DumpAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task Run_LeavesForeignKeysAndUnknownVersionsAlone()
    {
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        await redis.Server.ExecuteAsync("SETRANGE", sweep.Record(session), "0", "\t");
        await PersistAsync(sweep.Record(session));
        await redis.Server.ExecuteAsync("SET", "session:abc", "no TTL, but not ours");
        await redis.Server.ExecuteAsync("SET", "somebody:else", "1");
        await redis.Server.ExecuteAsync("SET", "user:sessions:{Ab}cdefghijklmnop", "not a sorted set");
        var before = await sweep.DumpAsync();

        var report = await sweep.CleanAsync();

        report.Count("foreign_keys").ShouldBe(2);
        report.Count("foreign_values").ShouldBe(1);
        report.Count("unknown_version").ShouldBe(1);
        (await sweep.DumpAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task Run_RemovesNothing_WhenTheBrakeTrips()
    {
        await redis.Server.ExecuteManyAsync(Enumerable.Range(0, 100).Select(number => new[] { "SET", $"rate:limit:login:{number:D22}", "1" }));
        sweep.CleanupOptions.MissingTtl = MissingTtlPolicy.Remove;

        await Should.ThrowAsync<BrakeException>(() => sweep.CleanAsync(brake: new BrakeOptions { Minimum = 10, Share = 0.5 }));

        (await redis.Server.KeysAsync("rate:limit:*")).Count.ShouldBe(100);
        (await sweep.CleanAsync(brake: new BrakeOptions { Minimum = 10, Share = 1 })).Count("ttl_removed").ShouldBe(100);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Archive_IsCleanedAfterRedis_AlsoWhenTheBrakeHeld(bool braked)
    {
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        await redis.Server.ExecuteAsync("ZADD", sweep.Index(session), "1000", $"{1:D22}");
        await redis.Server.ExecuteManyAsync(Enumerable.Range(0, 100).Select(number => new[] { "SET", $"rate:limit:login:{number:D22}", "1" }));
        sweep.CleanupOptions.MissingTtl = MissingTtlPolicy.Remove;
        var membersLeft = new List<long>();
        var archive = OrderedArchive.Of(async () => membersLeft.Add(await redis.Server.IntegerAsync("ZCARD", sweep.Index(session))));
        var sessions = new SweepHarness.Fixed<Maintenance.Storage.Sessions.SessionOptions>(new());
        var job = new SessionCleanupJob(
            sweep.Connection, sweep.Keys, sweep.Repair, sweep.TokenRepair, new SweepHarness.Fixed<SessionCleanupOptions>(sweep.CleanupOptions), sweep.Metrics,
            new ArchiveCleanup(archive, sessions, sweep.Metrics));
        var context = SweepHarness.Context(brake: new BrakeOptions { Minimum = braked ? 10 : 1000 });

        var running = job.RunAsync(context, CancellationToken.None);

        await (braked ? Should.ThrowAsync<BrakeException>(() => running) : running);
        membersLeft.ShouldBe([1]);
    }

    [Fact]
    public async Task Brake_TakesItsShareOfOurKeys_NotOfThoseOfOtherPrograms()
    {
        await redis.Server.ExecuteManyAsync(Enumerable.Range(0, 5000).Select(number => new[] { "SET", $"somebody:{number}", "1" }));
        await redis.Server.ExecuteManyAsync(Enumerable.Range(0, 5000).Select(number => new[] { "SET", $"cache:{number}", "anybody's" }));
        await redis.Server.ExecuteManyAsync(Enumerable.Range(0, 100).Select(number => new[] { "SET", $"rate:limit:login:{number:D22}", "1" }));
        sweep.CleanupOptions.MissingTtl = MissingTtlPolicy.Remove;

        var braked = await Should.ThrowAsync<BrakeException>(() => sweep.CleanAsync(brake: new BrakeOptions { Minimum = 10, Share = 0.2 }));

        braked.Message.ShouldContain("Stopped before removing");
        (await redis.Server.KeysAsync("rate:limit:*")).Count.ShouldBeGreaterThanOrEqualTo(80);
    }

    [Fact]
    public async Task Trap10_Run_DropsTheMembersOfAHugeIndexInPages()
    {
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        await redis.Server.ExecuteManyAsync(Enumerable.Range(0, 50_000).Chunk(500).Select(chunk =>
            new[] { "ZADD", sweep.Index(session) }.Concat(chunk.SelectMany(number => new[] { "1000", $"{number:D22}" })).ToArray()));

        (await sweep.CleanAsync()).Count("expired_members_removed").ShouldBe(50_000);

        await sweep.ShouldAgreeAsync();
    }

    [Fact]
    public async Task Run_WorksOnAFullStore()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryPolicy = "noeviction" });
        await using var full = new SweepHarness(server);
        var users = await full.PopulateAsync(200);
        var (damaged, living) = (users[3][0], users[7][0]);
        await server.ExecuteManyAsync(Enumerable.Range(0, 1000).Select(number => new[] { "ZADD", full.Index(damaged), "1000", $"{number:D22}" }));
        await server.ExecuteManyAsync(Enumerable.Range(0, 300).Select(number => new[] { "ZADD", full.Index(living), "1000", $"{number:D22}" }));
        await server.ExecuteAsync("ZADD", full.Index(living), "500", living.Token.Id.Value);
        await server.ExecuteAsync("PERSIST", full.Record(damaged));
        await server.ExecuteAsync("DEL", full.Index(users[11][0]));
        await server.ExecuteAsync("DEL", full.Record(users[15][0]));
        await server.ExecuteAsync("CONFIG", "SET", "maxmemory", "1mb");
        (await Should.ThrowAsync<Exception>(() => full.LogInAsync(SweepHarness.NewUserId()))).Message.ShouldContain("OOM");

        var report = await full.CleanAsync();

        report.Count("expired_members_removed").ShouldBe(1300);
        report.Count("ttl_repaired").ShouldBe(1);
        (await full.IsValidAsync(damaged)).ShouldBeTrue();

        // The reconciliation removes what is dead and says that it could not put back what is alive.
        var context = SweepHarness.Context();
        await full.Reconciliation.RunAsync(context, CancellationToken.None);
        context.Report.Count("drift_dangling").ShouldBe(1);
        context.Report.Count("repairs_refused").ShouldBeGreaterThanOrEqualTo(4);
        context.Report.Close().Errors.ShouldHaveSingleItem().ShouldContain("full");

        await server.ExecuteAsync("CONFIG", "SET", "maxmemory", "0");
        await full.ReconcileAsync();
        await full.ShouldAgreeAsync();
    }

    private async Task PersistAsync(params string[] keys)
    {
        foreach (var key in keys)
        {
            (await redis.Server.IntegerAsync("PERSIST", key)).ShouldBe(1);
        }
    }

    private static long ServerMilliseconds(IReadOnlyList<string> time) => (long.Parse(time[0]) * 1000) + (long.Parse(time[1]) / 1000);
}
