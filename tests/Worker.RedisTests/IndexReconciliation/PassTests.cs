using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.IndexReconciliation;

/// <summary>How a whole pass behaves: brake, cancellation, partitions, pages, restarts.</summary>
public sealed class PassTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private const string Cursor = "maintenance:cursor:index-reconciliation";
    private static readonly BrakeOptions Tight = new() { Minimum = 10, Share = 0.1 };
    private SweepHarness sweep = null!;

    public async Task InitializeAsync()
    {
        await redis.Server.FlushAllAsync();
        sweep = new SweepHarness(redis.Server);
    }

    public Task DisposeAsync() => sweep.DisposeAsync().AsTask();

    [Fact]
    public async Task Run_RemovesNothingAndReportsWhatItFound_WhenTheBrakeTrips()
    {
        foreach (var session in (await sweep.PopulateAsync(100)).Select(sessions => sessions[0]))
        {
            await redis.Server.ExecuteAsync("DEL", sweep.Generation(session));
        }

        var before = await sweep.DumpAsync();
        var context = SweepHarness.Context(brake: Tight);

        await Should.ThrowAsync<BrakeException>(() => sweep.Reconciliation.RunAsync(context, CancellationToken.None));

        (await sweep.DumpAsync()).ShouldBe(before);
        context.Report.Count("drift_revoked").ShouldBe(250);
        context.Report.Close().Snapshot.ShouldNotBeNull();
        (await sweep.ReconcileAsync(dryRun: true, Tight)).Close().Warnings.ShouldHaveSingleItem().ShouldContain("brake");
        (await sweep.ReconcileAsync(brake: new BrakeOptions { Minimum = 10, Share = 1 })).Count("drift_revoked").ShouldBe(250);
        (await redis.Server.KeysAsync("session:*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Run_MendsWhatIsHarmlessAndTheOtherKinds_WhenTheBrakeTrips()
    {
        await using var kinds = new KindsHarness(redis.Server);
        var users = await sweep.PopulateAsync(100);
        foreach (var session in users[..80].Select(sessions => sessions[0]))
        {
            await redis.Server.ExecuteAsync("DEL", sweep.Generation(session));
        }

        var lost = users[90][0];
        await redis.Server.ExecuteAsync("DEL", sweep.Index(lost));
        await redis.Server.ExecuteAsync("ZADD", sweep.Index(users[91][0]), "1000", new string('x', 22));
        var user = UserReference.Of(users[95][0].Session.UserId);
        var family = await kinds.Families.IssueAsync(new NewRefreshFamily { UserId = users[95][0].Session.UserId }, CancellationToken.None);
        await redis.Server.ExecuteAsync("DEL", sweep.Keys.RefreshFamily(user, family.Token!.FamilyId));
        var context = SweepHarness.Context(brake: Tight);

        await Should.ThrowAsync<BrakeException>(() => sweep.Reconciliation.RunAsync(context, CancellationToken.None));

        (await redis.Server.KeysAsync("session:*")).Count.ShouldBe(users.Sum(sessions => sessions.Count));
        (await redis.Server.IntegerAsync("ZCARD", sweep.Index(lost))).ShouldBe(users[90].Count);
        (await redis.Server.IntegerAsync("ZCARD", sweep.Index(users[91][0]))).ShouldBe(users[91].Count);
        (await redis.Server.IntegerAsync("EXISTS", sweep.Keys.RefreshIndex(user))).ShouldBe(0);
        context.Report.Count("drift_refresh_tokens_dangling").ShouldBe(1);
    }

    [Fact]
    public async Task Run_DoesNotTripTheBrake_WhenManySuspectsAreOnlyMissingFromTheirIndex()
    {
        foreach (var session in (await sweep.PopulateAsync(100)).Select(sessions => sessions[0]))
        {
            await redis.Server.ExecuteAsync("DEL", sweep.Index(session));
        }

        (await sweep.ReconcileAsync(brake: Tight)).Count("drift_missing").ShouldBe(250);

        await sweep.ShouldAgreeAsync();
    }

    [Fact]
    public async Task Run_EndsWithinOneBatch_WhenItIsCanceled()
    {
        await sweep.PopulateAsync(500);
        using var stop = new CancellationTokenSource();
        var pages = 0;
        var progress = new Immediate(_ =>
        {
            if (++pages == 3)
            {
                stop.Cancel();
            }
        });
        var context = SweepHarness.Context(budget: new WorkBudget(new BudgetOptions { ScanCount = 10, BatchSize = 5, DutyCycle = 1 }, TimeProvider.System), progress: progress);

        await Should.ThrowAsync<OperationCanceledException>(() => sweep.Reconciliation.RunAsync(context, stop.Token));

        pages.ShouldBe(3);
    }

    [Fact]
    public async Task Run_SweepsALargeStoreInPartitions()
    {
        var users = await sweep.PopulateAsync(300);
        foreach (var sessions in users)
        {
            await redis.Server.ExecuteAsync("ZREM", sweep.Index(sessions[0]), sessions[0].Token.Id.Value);
        }

        sweep.ReconciliationOptions.MaxSessionsInMemory = 200;

        var report = await sweep.ReconcileAsync();

        report.Count("sessions_seen").ShouldBe(750);
        report.Count("users_seen").ShouldBe(300);
        report.Count("drift_missing").ShouldBe(300);
        report.Count("keys_scanned").ShouldBeGreaterThan(3 * 1350);
        (await redis.Server.IntegerAsync("EXISTS", Cursor)).ShouldBe(0);
        await sweep.ShouldAgreeAsync();
    }

    [Fact]
    public async Task Run_GoesOnAfterTheLastCompletedPartition_WhenItWasInterrupted()
    {
        var users = await sweep.PopulateAsync(300);
        foreach (var sessions in users)
        {
            await redis.Server.ExecuteAsync("ZREM", sweep.Index(sessions[0]), sessions[0].Token.Id.Value);
        }

        sweep.ReconciliationOptions.MaxSessionsInMemory = 200;
        using var stop = new CancellationTokenSource();
        var steps = new List<string>();
        var interrupted = SweepHarness.Context(progress: new Immediate(progress =>
        {
            // A comparison after a comparison with a scan between: the second partition.
            steps.Add(progress.Step);
            if (steps.Zip(steps.Skip(1)).Count(pair => pair is ("scan", "compare")) == 2)
            {
                stop.Cancel();
            }
        }));
        await Should.ThrowAsync<OperationCanceledException>(() => sweep.Reconciliation.RunAsync(interrupted, stop.Token));
        (await redis.Server.IntegerAsync("PTTL", Cursor)).ShouldBeGreaterThan(0);

        var resumed = await sweep.ReconcileAsync();

        var done = interrupted.Report.Count("sessions_seen");
        resumed.Count("resumed_at_tag").ShouldBeGreaterThan(0);
        // The second partition was compared but not mended: it is swept again, the first is not.
        (interrupted.Report.Count("drift_missing") + resumed.Count("drift_missing")).ShouldBe(300);
        resumed.Count("sessions_seen").ShouldBeLessThan(750);
        done.ShouldBeGreaterThan(0);
        resumed.Close().Snapshot!.Value.GetProperty("missing").GetInt64().ShouldBe(300);
        await sweep.ShouldAgreeAsync();
    }

    [Fact]
    public async Task Run_BeginsAnew_WhenTheCursorIsOfAnotherServer()
    {
        await sweep.PopulateAsync(10);
        await redis.Server.ExecuteAsync("SET", Cursor, """{"next_tag":4000,"server_run_id":"another"}""", "EX", "60");

        var report = await sweep.ReconcileAsync();

        report.Count("sessions_seen").ShouldBe(23);
        report.Count("resumed_at_tag").ShouldBe(0);
    }

    [Fact]
    public async Task Trap10_Run_ReadsAHugeIndexInPages()
    {
        var session = await sweep.LogInAsync(SweepHarness.NewUserId());
        var expiry = SweepHarness.Expiry(session);
        await redis.Server.ExecuteManyAsync(Enumerable.Range(0, 50_000).Chunk(500).Select(chunk =>
            new[] { "ZADD", sweep.Index(session) }.Concat(chunk.SelectMany(number => new[] { $"{expiry}", $"{number:D22}" })).ToArray()));

        var report = await sweep.ReconcileAsync(brake: new BrakeOptions { Share = 1 });

        report.Count("index_members_seen").ShouldBe(50_001);
        report.Count("drift_dangling").ShouldBe(50_000);
        await sweep.ShouldAgreeAsync();
    }

    [Fact]
    public async Task Run_ReportsWhatRedisRefusesAndGoesOnWithTheRest()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { RefusedCommands = ["INFO", "DBSIZE"] });
        await using var refused = new SweepHarness(server);
        var session = await refused.LogInAsync(SweepHarness.NewUserId());
        await server.ExecuteAsync("DEL", refused.Index(session));

        var report = await refused.ReconcileAsync();

        report.Close().Unavailable.ShouldBe(["DBSIZE", "INFO server: run_id"]);
        await refused.ShouldAgreeAsync();
    }

    [Fact]
    public async Task Run_FailsWithAClearError_WhenTheServerRefusesScan()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { RefusedCommands = ["SCAN"] });
        await using var refused = new SweepHarness(server);
        var (reconciliation, cleanup) = (SweepHarness.Context(), SweepHarness.Context());

        await refused.Reconciliation.RunAsync(reconciliation, CancellationToken.None);
        await refused.Cleanup.RunAsync(cleanup, CancellationToken.None);

        foreach (var result in new[] { reconciliation.Report.Close(), cleanup.Report.Close() })
        {
            result.Errors.ShouldHaveSingleItem().ShouldContain("refuses SCAN");
            result.Unavailable.ShouldContain("SCAN");
            result.Snapshot.ShouldBeNull();
        }
    }

    [Fact]
    public async Task Trap6_Run_BeginsAgain_WhenTheServerRestartsUnderTheScan()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { AppendOnly = true });
        await using var restarted = new SweepHarness(server);
        var users = await restarted.PopulateAsync(50);
        await server.ExecuteAsync("DEL", restarted.Index(users[0][0]));
        var restarts = 0;
        var context = SweepHarness.Context(
            budget: new WorkBudget(new BudgetOptions { ScanCount = 10, BatchSize = 5, DutyCycle = 1 }, TimeProvider.System),
            progress: new Immediate(_ =>
            {
                if (restarts++ == 0)
                {
                    server.RestartAsync().GetAwaiter().GetResult();
                }
            }));

        await restarted.Reconciliation.RunAsync(context, CancellationToken.None);

        var report = context.Report.Close();
        report.Warnings.ShouldHaveSingleItem().ShouldContain("began again");
        report.Counts["drift_missing"].ShouldBe(1);
        report.Counts["sessions_seen"].ShouldBe(123);
        await restarted.ShouldAgreeAsync();
    }

    [Fact]
    public async Task Run_FailsSoon_WhenRedisIsGone()
    {
        await using var server = await RedisServer.StartAsync();
        await using var gone = new SweepHarness(server, deadline: TimeSpan.FromSeconds(8));
        await gone.PopulateAsync(20);
        await server.KillAsync();

        await Should.ThrowAsync<StorageUnavailableException>(() => gone.Cleanup.RunAsync(SweepHarness.Context(), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60)));
        await Should.ThrowAsync<StorageUnavailableException>(() => gone.Reconciliation.RunAsync(SweepHarness.Context(), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task Trap12_Run_EndsAtADeadline_WhenTheServerStopsAnswering()
    {
        await using var server = await RedisServer.StartAsync();
        await using var silent = new SweepHarness(server, deadline: TimeSpan.FromSeconds(8));
        await silent.PopulateAsync(20);
        await server.PauseAsync();

        await Should.ThrowAsync<StorageUnavailableException>(() => silent.Reconciliation.RunAsync(SweepHarness.Context(), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60)));

        await server.ResumeAsync();
    }

    [Fact]
    public async Task Run_WaitsForRedis_AsLongAsItsConnectionDoes()
    {
        await using var server = await RedisServer.StartAsync();
        await using var patient = new SweepHarness(server, deadline: TimeSpan.FromMinutes(1));
        var session = await patient.LogInAsync(SweepHarness.NewUserId());
        await server.ExecuteAsync("DEL", patient.Index(session));
        await server.PauseAsync();

        var running = patient.ReconcileAsync();
        // Past what a job gives a batch of its own accord.
        await Should.ThrowAsync<TimeoutException>(running.WaitAsync(TimeSpan.FromSeconds(7)));
        await server.ResumeAsync();

        (await running).Count("drift_missing").ShouldBe(1);
    }

    private sealed class Immediate(Action<JobProgress> act) : IProgress<JobProgress>
    {
        public void Report(JobProgress value) => act(value);
    }
}
