using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Maintenance.Worker.IndexReconciliation;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.IndexReconciliation;

public sealed class DriftTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private SweepHarness sweep = null!;

    public async Task InitializeAsync()
    {
        await redis.Server.FlushAllAsync();
        sweep = new SweepHarness(redis.Server);
    }

    public Task DisposeAsync() => sweep.DisposeAsync().AsTask();

    [Fact]
    public async Task Run_FindsAndMendsEachKindOfDriftAndOnlyThat()
    {
        var users = await sweep.PopulateAsync(2000);
        await DamageAsync(users);

        var first = await sweep.ReconcileAsync();

        ShouldHaveFound(first);
        first.Count("indexes_rebuilt").ShouldBe(20);
        first.Count("users_seen").ShouldBe(2000);
        foreach (var session in users.Where((_, number) => number is < 100 or >= 120).SelectMany(sessions => sessions))
        {
            if (session != users[3][0] && session != users[7][0])
            {
                (await sweep.IsValidAsync(session)).ShouldBeTrue();
            }
        }

        await sweep.ShouldAgreeAsync();
        var second = await sweep.ReconcileAsync();
        second.Close().Counts.Keys.ShouldNotContain(name => name.StartsWith("drift_", StringComparison.Ordinal));
        second.Count("suspects").ShouldBe(0);
    }

    [Fact]
    public async Task DryRun_FindsTheSameAndChangesNothing()
    {
        await DamageAsync(await sweep.PopulateAsync(200));
        var before = await sweep.DumpAsync();

        var report = await sweep.ReconcileAsync(dryRun: true);

        ShouldHaveFound(report);
        report.Count("indexes_rebuilt").ShouldBe(20);
        (await sweep.DumpAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task Run_TakesNoDriftFromAliasesOfRotatedSessions()
    {
        foreach (var session in (await sweep.PopulateAsync(40)).Select(sessions => sessions[0]))
        {
            (await sweep.Store.RotateAsync(session.Token.Value, new SessionChanges(), CancellationToken.None)).Outcome.ShouldBe(RotationOutcome.Rotated);
        }

        var report = await sweep.ReconcileAsync();

        report.Count("suspects_right").ShouldBe(40);
        report.Close().Counts.Keys.ShouldNotContain(name => name.StartsWith("drift_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_LeavesRecordsOfUnknownVersionsAndForeignKeysAlone()
    {
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        var record = sweep.Record(session);
        await redis.Server.ExecuteAsync("SETRANGE", record, "0", "\t");
        await redis.Server.ExecuteAsync("DEL", sweep.Index(session), sweep.Generation(session));
        var other = await sweep.LogInAsync(SweepHarness.NewUserId());
        await redis.Server.ExecuteAsync("DEL", sweep.Index(other));
        await redis.Server.ExecuteAsync("SET", sweep.Index(other), "no sorted set");
        await redis.Server.ExecuteAsync("SET", "session:abc", "a session of express");
        await redis.Server.ExecuteAsync("SADD", "user:sessions:42", "abc");
        await redis.Server.ExecuteAsync("HSET", record[..^1] + (record[^1] == 'A' ? 'Q' : 'A'), "field", "a hash under a name of ours");
        var before = await sweep.DumpAsync();

        var report = await sweep.ReconcileAsync();

        report.Count("unknown_version").ShouldBe(1);
        report.Count("foreign_keys").ShouldBe(2);
        report.Count("foreign_values").ShouldBe(3);
        (await sweep.DumpAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task Run_RemovesSessionsWhoseUserHasNoGeneration_WhichTheIndexStillNames()
    {
        var dead = await sweep.LogInAsync(SweepHarness.NewUserId());
        var alive = await sweep.LogInAsync(SweepHarness.NewUserId());
        await redis.Server.ExecuteAsync("DEL", sweep.Generation(dead));

        (await sweep.ReconcileAsync()).Count("drift_revoked").ShouldBe(1);

        (await redis.Server.IntegerAsync("EXISTS", sweep.Record(dead), sweep.Index(dead))).ShouldBe(0);
        (await sweep.IsValidAsync(alive)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public async Task Run_ComparesTheGenerationsOfIndexedSessions_OnlyWhenTold(bool verify, int found)
    {
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        await sweep.LogInAsync(SweepHarness.NewUserId());
        await redis.Server.ExecuteAsync("INCR", sweep.Generation(session));
        sweep.ReconciliationOptions.VerifyGenerations = verify;

        (await sweep.ReconcileAsync()).Count("drift_revoked").ShouldBe(found);

        (await redis.Server.IntegerAsync("EXISTS", sweep.Record(session))).ShouldBe(1 - found);
    }

    [Fact]
    public async Task Trap3_Run_RemovesWhatRevokeAllCouldNotSee_BecauseTheIndexWasLost()
    {
        var orphan = await sweep.LogInAsync(SweepHarness.NewUserId());
        await redis.Server.ExecuteAsync("DEL", sweep.Index(orphan));
        await sweep.Store.RevokeAllAsync(orphan.Session.UserId, null, CancellationToken.None);
        var after = await sweep.LogInAsync(orphan.Session.UserId);

        (await sweep.ReconcileAsync()).Count("drift_revoked").ShouldBe(1);

        (await redis.Server.IntegerAsync("EXISTS", sweep.Record(orphan))).ShouldBe(0);
        (await sweep.IsValidAsync(after)).ShouldBeTrue();
        await sweep.ShouldAgreeAsync();
    }

    [Fact]
    public async Task Trap4_Run_RebuildsAnIndexThatWasEvicted()
    {
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        await redis.Server.ExecuteAsync("DEL", sweep.Index(session));

        var report = await sweep.ReconcileAsync();

        (report.Count("drift_missing"), report.Count("indexes_rebuilt")).ShouldBe((1, 1));
        await sweep.ShouldAgreeAsync();
    }

    [Fact]
    public async Task Trap9_Run_FindsNothing_WhenTheWorkersClockIsYearsAhead()
    {
        await sweep.PopulateAsync(20);
        var ahead = new IndexReconciliationJob(
            sweep.Connection, sweep.Keys, sweep.Repair, sweep.TokenRepair, new SweepHarness.Fixed<IndexReconciliationOptions>(new()), sweep.Metrics, new ManualTimeProvider());
        var context = SweepHarness.Context();
        var before = await sweep.DumpAsync();

        await ahead.RunAsync(context, CancellationToken.None);

        context.Report.Count("suspects").ShouldBe(0);
        (await sweep.DumpAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task Run_CountsAMemberThatExpiredByItselfAsNoDrift()
    {
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        await redis.Server.ExecuteAsync("ZADD", sweep.Index(session), "1000", new string('x', 22));

        var report = await sweep.ReconcileAsync();

        report.Count("expired_members_removed").ShouldBe(1);
        report.Close().Counts.Keys.ShouldNotContain(name => name.StartsWith("drift_", StringComparison.Ordinal));
        await sweep.ShouldAgreeAsync();
    }

    [Theory]
    [InlineData("inf")]
    [InlineData("1234.56789")]
    [InlineData("-1e+300")]
    public async Task Run_MendsAScoreThatSomethingElseWrote(string score)
    {
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        await redis.Server.ExecuteAsync("ZADD", sweep.Index(session), score, session.Token.Id.Value);

        (await sweep.ReconcileAsync()).Count("drift_wrong_expiry").ShouldBe(1);

        await sweep.ShouldAgreeAsync();
    }

    [Theory]
    [InlineData("PERSIST")]
    [InlineData("PEXPIRE")]
    public async Task Trap5_Run_MakesAnIndexLiveAsLongAsItsLongestSession(string damage)
    {
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        string[] command = damage == "PERSIST" ? [damage, sweep.Index(session)] : [damage, sweep.Index(session), "60000"];
        await redis.Server.ExecuteAsync(command);

        var report = await sweep.ReconcileAsync();

        report.Count("drift_index_life").ShouldBe(1);
        report.Count("drift_wrong_expiry").ShouldBe(0);
        await sweep.ShouldAgreeAsync();
    }

    [Fact]
    public async Task Run_SaysWhichPrefixHoldsTheSessions_WhenTheConfiguredOneHoldsNone()
    {
        await using var elsewhere = new SweepHarness(redis.Server, prefix: "shop:");
        await elsewhere.LogInAsync(SweepHarness.NewUserId());

        var report = await sweep.ReconcileAsync();

        report.Close().Warnings.ShouldHaveSingleItem().ShouldContain("'shop:'");
        report.Count("foreign_keys").ShouldBe(3);
        (await elsewhere.ReconcileAsync()).Close().Warnings.ShouldBeEmpty();
    }

    [Fact]
    public async Task Run_ReportsWhatItFoundForTheMetrics()
    {
        await DamageAsync(await sweep.PopulateAsync(200));
        using var metrics = new MetricCollector<long>(sweep.Meters, "maintenance.index.repairs");

        var snapshot = (await sweep.ReconcileAsync()).Close().Snapshot;

        var result = new JobResult
        {
            Job = JobNames.IndexReconciliation,
            RunId = "1",
            Replica = "r",
            Started = DateTimeOffset.UnixEpoch,
            DurationSeconds = 1,
            Outcome = JobOutcome.Success,
            Snapshot = snapshot,
        };
        var found = result.ReadSnapshot<IndexReconciliationSnapshot>().ShouldNotBeNull();
        (found.Dangling, found.Missing, found.WrongExpiry, found.Revoked, found.IndexLife).ShouldBe((1, 51, 20, 20, 1));
        found.Users.ShouldBe(200);
        found.ServerRunId.ShouldNotBeNullOrEmpty();
        metrics.Sum(("keyspace", "native"), ("kind", "missing")).ShouldBe(51);
        metrics.Sum(("kind", "revoked")).ShouldBe(20);
        var gauges = new IndexReconciliationMetrics(sweep.Meters, new LatestSnapshot<IndexReconciliationSnapshot>());
        using var gauge = new MetricCollector<long>(sweep.Meters, "maintenance.index.drift.members");
        gauge.Observe().ShouldBeEmpty();
        gauges.Observe(result);
        gauge.Observe().Where(measurement => (string?)measurement.Tags["keyspace"] == "native").Select(measurement => (measurement.Tags["kind"], measurement.Value)).ShouldBe(
            [("dangling", 1), ("missing", 51), ("wrong_expiry", 20), ("revoked", 20), ("index_life", 1)]);
    }

    // Users 3 and 7 have four sessions each.
    private async Task DamageAsync(List<List<IssuedSession>> users)
    {
        // A session gone, and one that its index lost.
        await redis.Server.ExecuteAsync("DEL", sweep.Record(users[3][0]));
        await redis.Server.ExecuteAsync("ZREM", sweep.Index(users[7][0]), users[7][0].Token.Id.Value);

        // Wrong scores, and one index that would die too early.
        foreach (var sessions in users[20..40])
        {
            await redis.Server.ExecuteAsync("ZADD", sweep.Index(sessions[0]), $"{SweepHarness.Expiry(sessions[0]) - 3_600_000}", sessions[0].Token.Id.Value);
        }

        await redis.Server.ExecuteAsync("PEXPIRE", sweep.Index(users[50][0]), "600000");

        // Lost indexes: 50 sessions.
        foreach (var sessions in users[60..80])
        {
            await redis.Server.ExecuteAsync("DEL", sweep.Index(sessions[0]));
        }

        // Revoked while the index was lost: orphans of an older generation, one a user.
        foreach (var sessions in users[100..120])
        {
            await redis.Server.ExecuteAsync("ZREM", sweep.Index(sessions[0]), sessions[0].Token.Id.Value);
            await redis.Server.ExecuteAsync(["DEL", .. sessions[1..].Select(sweep.Record), sweep.Index(sessions[0])]);
            await sweep.Store.RevokeAllAsync(sessions[0].Session.UserId, null, CancellationToken.None);
        }
    }

    private static void ShouldHaveFound(JobReport report)
    {
        report.Count("drift_dangling").ShouldBe(1);
        report.Count("drift_missing").ShouldBe(51);
        report.Count("drift_wrong_expiry").ShouldBe(20);
        report.Count("drift_revoked").ShouldBe(20);
        report.Count("drift_index_life").ShouldBe(1);
    }
}
