using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.Alerting;
using Maintenance.Worker.Lease;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.RedisTests.Alerting;

/// <summary>Between a run's result and its message lies a moment in which a process can be killed.</summary>
public sealed class ToldAlertsTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private readonly ManualTimeProvider time = new();
    private readonly LogCollector logs = new();
    private readonly TestMeterFactory meters = new();
    private RedisConnection connection = null!;

    public async Task InitializeAsync()
    {
        await redis.Server.FlushAllAsync();
        connection = new RedisConnection(JobHarness.Options(redis.Server), TimeProvider.System, NullLogger.Instance);
        await Eventually.TrueAsync(() => connection.ConnectAsync(CancellationToken.None), TimeSpan.FromSeconds(30));
    }

    public async Task DisposeAsync()
    {
        await connection.DisposeAsync();
        meters.Dispose();
        logs.Dispose();
    }

    [Fact]
    public async Task Alert_IsToldByOneOtherReplica_WhenItsFinderWasKilledBeforeItTold()
    {
        var (second, third) = (new Replica(this, "b"), new Replica(this, "c"));
        second.Take("a", JobOutcome.Failed);
        third.Take("a", JobOutcome.Failed);
        await second.LookAsync();
        await third.LookAsync();
        second.Told.ShouldBeEmpty("its finder has a minute");

        time.Advance(ToldAlerts.Patience);
        await second.LookAsync();
        await third.LookAsync();
        await second.LookAsync();

        second.Told.ShouldBe([AlertState.Firing]);
        third.Told.ShouldBeEmpty();
        logs.WithEvent(2706).ShouldHaveSingleItem().Message.ShouldContain("job_failed");
    }

    [Fact]
    public async Task Alert_IsNotToldAgain_WhenItsFinderToldIt_AlsoByAReplicaThatHasJustStarted()
    {
        var (first, second) = (new Replica(this, "a"), new Replica(this, "b"));
        await using (var dispatcher = await first.DispatchAsync())
        {
            first.Take("a", JobOutcome.Failed);
            await Eventually.TrueAsync(() => redis.Server.IntegerAsync("HLEN", "maintenance:alerts:told").ContinueWith(length => length.Result == 1, TaskScheduler.Default));
        }

        second.Take("a", JobOutcome.Failed);
        var restarted = new Replica(this, "a-restarted");
        restarted.Take("a", JobOutcome.Failed);
        await second.LookAsync();
        await restarted.LookAsync();
        time.Advance(ToldAlerts.Patience);
        await second.LookAsync();
        await restarted.LookAsync();

        second.Told.ShouldBeEmpty();
        restarted.Told.ShouldBeEmpty();
        second.Center.Untold.ShouldBeEmpty();
    }

    [Fact]
    public async Task End_IsToldByAnother_IfTheBeginningWas_AndOnlyThen()
    {
        var (first, second) = (new Replica(this, "a"), new Replica(this, "b"));
        first.Take("a", JobOutcome.Failed);
        first.ToldAlerts.Note(first.Drain());
        await first.LookAsync();
        second.Take("a", JobOutcome.Failed);
        // Killed before it told the end.
        second.Take("a", JobOutcome.Success);
        await second.LookAsync();
        time.Advance(ToldAlerts.Patience);
        await second.LookAsync();
        second.Told.ShouldBe([AlertState.Resolved]);

        second.Take("a", JobOutcome.Failed);
        second.Take("a", JobOutcome.Success);
        await second.LookAsync();
        time.Advance(ToldAlerts.Patience);
        await second.LookAsync();
        second.Told.ShouldBe([AlertState.Resolved], "nobody heard that it had begun");
        (await redis.Server.KeysAsync("maintenance:alerts:told")).ShouldBeEmpty();
    }

    /// <summary>A replica's center, with what it would tell.</summary>
    private sealed class Replica
    {
        private readonly ToldAlertsTests test;
        private int runs;

        public Replica(ToldAlertsTests test, string name)
        {
            this.test = test;
            Center = new AlertCenter([new FailedRule()], JobHarness.Monitor(new AlertingOptions()), new ReplicaName(name));
            ToldAlerts = new ToldAlerts(Center, test.connection, new RedisKeys(""), test.time, test.logs.For<ToldAlerts>());
        }

        public AlertCenter Center { get; }

        public ToldAlerts ToldAlerts { get; }

        public List<AlertState> Told { get; } = [];

        public void Take(string replica, JobOutcome outcome) => Center.Take(new JobResult
        {
            Job = JobNames.SessionCleanup,
            RunId = $"{replica}-{runs++}",
            Replica = replica,
            Started = test.time.GetUtcNow().AddSeconds(runs),
            DurationSeconds = 0,
            Outcome = outcome,
        });

        public async Task LookAsync()
        {
            await ToldAlerts.LookAsync(CancellationToken.None);
            Told.AddRange(Drain().Select(notice => notice.State));
        }

        public List<AlertNotice> Drain()
        {
            var all = new List<AlertNotice>();
            while (Center.Notices.TryRead(out var notices))
            {
                all.AddRange(notices);
            }

            return all;
        }

        public async Task<IAsyncDisposable> DispatchAsync()
        {
            var options = JobHarness.Monitor(new AlertingOptions());
            var outcomes = new SinkOutcomes(test.meters, TimeProvider.System, test.logs.For<SinkOutcomes>());
            var dispatcher = new AlertDispatcher(Center, [new LogSink(Options.Create(new AlertingOptions()), test.logs.For<LogSink>())], outcomes, options, TimeProvider.System, test.logs.For<AlertDispatcher>(), ToldAlerts);
            await ToldAlerts.StartAsync(CancellationToken.None);
            await dispatcher.StartAsync(CancellationToken.None);
            return new Stopping(dispatcher, ToldAlerts);
        }
    }

    private sealed class Stopping(AlertDispatcher dispatcher, ToldAlerts told) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await dispatcher.StopAsync(CancellationToken.None);
            await told.StopAsync(CancellationToken.None);
            dispatcher.Dispose();
            told.Dispose();
        }
    }

    private sealed class FailedRule : IAlertRule
    {
        public string Name => "job_failed";

        public string? Job => null;

        public IReadOnlyList<Alert>? Evaluate(JobResult result) =>
            result.Outcome == JobOutcome.Failed ? [Alert.Of("job_failed", "task", result.Job, AlertSeverity.Warning, "It failed.", AlertRunbooks.JobFailing)] : [];
    }
}
