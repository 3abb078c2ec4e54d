using Maintenance.Testing;
using Maintenance.Worker.Alerting;
using Maintenance.Worker.Lease;
using Maintenance.Worker.MemoryAlerts;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Tests.Alerting;

public sealed class AlertCenterTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TestMeterFactory meters = new();
    private readonly LogCollector log = new();
    private readonly Monitor options = new(new AlertingOptions { SinkTimeout = TimeSpan.FromMilliseconds(200) });
    private readonly RecordingSink sink = new("log");
    private SinkOutcomes outcomes = null!;

    public void Dispose()
    {
        meters.Dispose();
        log.Dispose();
    }

    [Fact]
    public async Task Results_AreTold_WhenThisReplicaRanTheJob()
    {
        var center = Center("a");
        await using var dispatcher = await DispatchAsync(center, sink);

        center.Take(Health(HealthStatus.Unhealthy, "a"));
        await Eventually.TrueAsync(() => sink.Notices.Count == 1);
        center.Take(Health(HealthStatus.Unhealthy, "a", minute: 5));
        center.Take(Health(HealthStatus.Healthy, "a", minute: 10));
        await Eventually.TrueAsync(() => sink.Notices.Count == 2);

        sink.Notices[0].Alert.Severity.ShouldBe(AlertSeverity.Critical);
        sink.Notices[0].Alert.Identity.ShouldBe("""redis_health{node="redis:6379"}""");
        sink.Notices[1].State.ShouldBe(AlertState.Resolved);
    }

    [Fact]
    public async Task Results_AreToldByOneReplicaOnly()
    {
        var other = Center("b");
        await using var dispatcher = await DispatchAsync(other, sink);

        other.Take(Health(HealthStatus.Unhealthy, "a"));
        other.Firing.ShouldHaveSingleItem("it knows");
        other.Take(Health(HealthStatus.Unhealthy, "b", minute: 5));
        other.Take(Health(HealthStatus.Healthy, "b", minute: 10));

        await Eventually.TrueAsync(() => sink.Notices.Count == 1);
        sink.Notices.Single().State.ShouldBe(AlertState.Resolved, "a told that it began, b that it is over");
    }

    [Fact]
    public async Task Alert_IsNotToldAgain_WhenTheReplicaIsANewProcess()
    {
        var restarted = Center("a-new");
        await using var dispatcher = await DispatchAsync(restarted, sink);

        // What ResultsCache shows at the start, then a run of its own.
        restarted.Take(Health(HealthStatus.Unhealthy, "a-old"));
        restarted.Take(Health(HealthStatus.Unhealthy, "a-new", minute: 5));
        restarted.Take(Health(HealthStatus.Unhealthy, "a-new", minute: 4 * 60));

        await Eventually.TrueAsync(() => sink.Notices.Count == 1);
        sink.Notices.Single().Repeated.ShouldBeTrue();
        sink.Notices.Single().Since.ShouldBe(Start);
    }

    [Fact]
    public async Task Alert_IsTold_WhenAPersonSawItBeforeOnTheCommandLine()
    {
        var center = Center("server");
        await using var dispatcher = await DispatchAsync(center, sink);

        center.Take(Health(HealthStatus.Unhealthy, "command-line") with { Due = null, OneShot = true });
        center.Take(Health(HealthStatus.Unhealthy, "server", minute: 5));

        await Eventually.TrueAsync(() => sink.Notices.Count == 1);
        sink.Notices.Single().Repeated.ShouldBeFalse();
    }

    [Fact]
    public async Task Alert_OfARunByHandElsewhere_IsNotToldAgain_AndItsEndIsTold()
    {
        var other = Center("b");
        await using var dispatcher = await DispatchAsync(other, sink);

        other.Take(Health(HealthStatus.Unhealthy, "a") with { Due = null });
        other.Firing.ShouldHaveSingleItem("a has told it, whoever asked for the run");
        other.Take(Health(HealthStatus.Unhealthy, "b", minute: 5));
        other.Take(Health(HealthStatus.Healthy, "b", minute: 10));

        await Eventually.TrueAsync(() => sink.Notices.Count == 1);
        sink.Notices.Single().State.ShouldBe(AlertState.Resolved);
    }

    [Fact]
    public async Task Shutdown_SendsWhatIsStillQueued()
    {
        options.CurrentValue.SinkTimeout = TimeSpan.FromMinutes(1);
        var gated = new GatedSink(sink);
        var center = Center("a");
        var dispatcher = await DispatchAsync(center, gated);
        center.Take(Health(HealthStatus.Unhealthy, "a"));
        await gated.Entered;
        center.Take(Health(HealthStatus.Healthy, "a", minute: 5));
        center.Take(Health(HealthStatus.Unhealthy, "a", minute: 10));

        var stopping = dispatcher.DisposeAsync().AsTask();
        gated.Open();
        await stopping;

        sink.Notices.Select(notice => notice.State).ShouldBe([AlertState.Firing, AlertState.Resolved, AlertState.Firing]);
        log.WithEvent(2703).ShouldBeEmpty();
    }

    [Fact]
    public async Task Shutdown_DoesNotWaitForASinkThatHangs_AndSaysWhatIsLost()
    {
        // Longer than a shutdown may take: only the limit of the shutdown ends it.
        options.CurrentValue.SinkTimeout = TimeSpan.FromMinutes(1);
        var center = Center("a");
        var hanging = new GatedSink(sink);
        var dispatcher = await DispatchAsync(center, hanging);
        center.Take(Health(HealthStatus.Unhealthy, "a"));
        await hanging.Entered;
        center.Take(Health(HealthStatus.Healthy, "a", minute: 5));
        var started = TimeProvider.System.GetTimestamp();

        await dispatcher.DisposeAsync();

        TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(options.CurrentValue.SinkTimeout / 2);
        log.WithEvent(2703).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Sinks_AreTold_WhenAnotherFailsOrHangs()
    {
        options.CurrentValue.RetryDelay = TimeSpan.FromMilliseconds(20);
        using var sent = new MetricCollector<long>(meters, "maintenance.alerts.sent");
        var center = Center("a");
        await using var dispatcher = await DispatchAsync(center, new FailingSink(), new HangingSink(), sink);
        sent.Measurements.Count.ShouldBe(9, "each sink's counters exist from the start");

        center.Take(Health(HealthStatus.Unhealthy, "a"));
        await Eventually.TrueAsync(() => sent.Sum(("sink", "failing"), ("outcome", "failure")) >= 3);
        await Eventually.TrueAsync(() => sent.Sum(("sink", "hanging"), ("outcome", "failure")) >= 2);
        center.Take(Health(HealthStatus.Healthy, "a", minute: 5));

        await Eventually.TrueAsync(() => sent.Sum(("sink", "log"), ("outcome", "success")) == 2);
        sink.Notices.Count.ShouldBe(2);
        log.WithEvent(2702).Count.ShouldBe(2, "told when it begins, not at each try");
        outcomes.All.Single(state => state.Sink == "failing").Problem.ShouldBe("refused");
        outcomes.All.Single(state => state.Sink == "log").Problem.ShouldBeNull();
    }

    [Fact]
    public async Task Sink_ThatWasAway_GetsTheNewestOfEachAlert_Once()
    {
        options.CurrentValue.RetryDelay = TimeSpan.FromMilliseconds(20);
        using var sent = new MetricCollector<long>(meters, "maintenance.alerts.sent");
        var away = new AwaySink(sink);
        var center = Center("a");
        await using var dispatcher = await DispatchAsync(center, away);
        center.Take(Health(HealthStatus.Unhealthy, "a"));
        await Eventually.TrueAsync(() => sent.Sum(("outcome", "failure")) >= 1);
        center.Take(Memory(warning: true, critical: false));
        center.Take(Health(HealthStatus.Healthy, "a", minute: 5));
        await Eventually.TrueAsync(() => away.MostAtOnce == 2);

        away.ComeBack();
        await Eventually.TrueAsync(() => sent.Sum(("outcome", "success")) == 2);

        sink.Notices.Select(notice => (notice.Alert.Name, notice.State)).ShouldBe([("redis_memory", AlertState.Firing), ("redis_health", AlertState.Resolved)]);
        await Eventually.TrueAsync(() => log.WithEvent(2704).Count == 1);
    }

    [Fact]
    public async Task Sink_ThatRefuses_IsNotAskedAgain()
    {
        options.CurrentValue.RetryDelay = TimeSpan.FromMilliseconds(20);
        using var sent = new MetricCollector<long>(meters, "maintenance.alerts.sent");
        var center = Center("a");
        await using var dispatcher = await DispatchAsync(center, new RefusingSink());
        center.Take(Health(HealthStatus.Unhealthy, "a"));
        center.Take(Health(HealthStatus.Healthy, "a", minute: 5));

        await Eventually.TrueAsync(() => sent.Sum(("outcome", "dropped")) == 2);
        sent.Sum(("outcome", "failure")).ShouldBe(0);
        log.WithEvent(2705).Count.ShouldBe(2);
    }

    [Fact]
    public void UnsafePolicy_IsAnAlertOfItsOwn()
    {
        var center = Center("a");

        center.Take(Health(HealthStatus.Degraded, "a", HealthReasons.UnsafePolicy));

        center.Firing.ShouldHaveSingleItem().Name.ShouldBe("redis_unsafe_policy");
    }

    [Fact]
    public void Memory_BecomesCritical_AsOneAlert()
    {
        var center = Center("a");

        center.Take(Memory(warning: true, critical: false));
        center.Firing.ShouldHaveSingleItem().Severity.ShouldBe(AlertSeverity.Warning);
        center.Take(Memory(warning: true, critical: true));

        center.Firing.ShouldHaveSingleItem().Severity.ShouldBe(AlertSeverity.Critical);
    }

    [Fact]
    public void Brake_IsCritical_AndEndsWithASuccess()
    {
        var center = Center("a");

        center.Take(Result(JobNames.SessionCleanup, JobOutcome.Failed) with { Braked = true, Errors = ["Stopped before removing 9 of 10 sessions"] });
        center.Firing.ShouldHaveSingleItem().Identity.ShouldBe("""job_braked{task="session-cleanup"}""");
        center.Take(Result(JobNames.SessionCleanup, JobOutcome.Canceled));
        center.Firing.ShouldHaveSingleItem("a canceled run tells nothing");
        center.Take(Result(JobNames.SessionCleanup, JobOutcome.Success));

        center.Firing.ShouldBeEmpty();
    }

    [Fact]
    public void Drift_IsAnAlert_WhenItIsAboveTheOption()
    {
        var center = Center("a");
        var result = Result(JobNames.IndexReconciliation, JobOutcome.Success);

        center.Take(result with { Counts = new Dictionary<string, long>(StringComparer.Ordinal) { ["drift_dangling"] = 600, ["drift_missing"] = 400, ["keys_scanned"] = 99999 } });
        center.Firing.ShouldBeEmpty();
        center.Take(result with { Counts = new Dictionary<string, long>(StringComparer.Ordinal) { ["drift_dangling"] = 601, ["drift_missing"] = 400 } });

        center.Firing.ShouldHaveSingleItem().Summary.ShouldContain("dangling 601");
    }

    [Fact]
    public async Task LogSink_WritesErrorsWarningsAndEnds()
    {
        var critical = Alert.Of("redis_health", "node", "r:1", AlertSeverity.Critical, "gone", AlertRunbooks.RedisDown);
        var logSink = new LogSink(log.For<LogSink>());

        await logSink.SendAsync(
            [
                new AlertNotice(critical, AlertState.Firing, Start, Start, false),
                new AlertNotice(critical with { Severity = AlertSeverity.Warning }, AlertState.Firing, Start, Start, false),
                new AlertNotice(critical, AlertState.Resolved, Start, Start, false),
            ],
            CancellationToken.None);

        log.Entries.Select(entry => entry.Level.ToString()).ShouldBe(["Error", "Warning", "Information"]);
        log.Entries[0].Message.ShouldContain("gone");
    }

    [Fact]
    public void DriftRule_NeverCallsItMended_ByAPassThatFailed()
    {
        new DriftRule(options).Evaluate(Result(JobNames.IndexReconciliation, JobOutcome.Failed)).ShouldBeNull();
        new DriftRule(options).Evaluate(Result(JobNames.IndexReconciliation, JobOutcome.Success)).ShouldBeEmpty();
    }

    private AlertCenter Center(string replica) =>
        new([new RedisHealthAlerts(), new MemoryAlertRule(), new JobFailedRule(), new DriftRule(options)], options, new ReplicaName(replica));

    private async Task<Dispatching> DispatchAsync(AlertCenter center, params IAlertSink[] sinks)
    {
        outcomes = new SinkOutcomes(meters, TimeProvider.System, log.For<SinkOutcomes>());
        var dispatcher = new AlertDispatcher(center, sinks, outcomes, options, TimeProvider.System, log.For<AlertDispatcher>());
        await dispatcher.StartAsync(CancellationToken.None);
        return new Dispatching(dispatcher);
    }

    private static JobResult Health(HealthStatus status, string replica, string code = HealthReasons.Unreachable, int minute = 0)
    {
        var snapshot = new RedisHealthSnapshot
        {
            Status = status,
            Nodes = [new NodeHealth { Node = "redis:6379", Status = status, Reasons = status == HealthStatus.Healthy ? [] : [new HealthReason(code, status, "gone", "there")] }],
        };
        return Result(JobNames.RedisHealth, JobOutcome.Success, snapshot, minute) with { Replica = replica };
    }

    private static JobResult Memory(bool warning, bool critical) => Result(
        JobNames.MemoryAlerts,
        JobOutcome.Success,
        new MemoryAlertsSnapshot { Nodes = [new NodeMemory { Node = "redis:6379", UsedBytes = 9, LimitBytes = 10, Warning = warning, Critical = critical }] });

    private static JobResult Result(string job, JobOutcome outcome, object? snapshot = null, int minute = 0)
    {
        var report = new JobReport();
        if (snapshot is not null)
        {
            report.SetSnapshot(snapshot);
        }

        return new JobResult
        {
            Job = job,
            RunId = Guid.NewGuid().ToString("N"),
            Replica = "a",
            Started = Start.AddMinutes(minute),
            Due = Start.AddMinutes(minute),
            DurationSeconds = 0,
            Outcome = outcome,
            Snapshot = report.Close().Snapshot,
        };
    }

    private sealed class Dispatching(AlertDispatcher dispatcher) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await dispatcher.StopAsync(CancellationToken.None);
            dispatcher.Dispose();
        }
    }

    private sealed class RecordingSink(string name) : IAlertSink
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<AlertNotice> notices = [];

        public string Name => name;

        public IReadOnlyList<AlertNotice> Notices => [.. notices];

        public Task SendAsync(IReadOnlyList<AlertNotice> told, CancellationToken cancellationToken)
        {
            foreach (var notice in told)
            {
                notices.Enqueue(notice);
            }

            return Task.CompletedTask;
        }
    }

    private sealed class FailingSink : IAlertSink
    {
        public string Name => "failing";

        public Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken) => throw new HttpRequestException("refused");
    }

    private sealed class RefusingSink : IAlertSink
    {
        public string Name => "refusing";

        public Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken) => throw new SinkRefusedException("answered 404");
    }

    /// <summary>Fails until it comes back.</summary>
    private sealed class AwaySink(IAlertSink behind) : IAlertSink
    {
        private volatile bool here;
        private volatile int mostAtOnce;

        public string Name => "away";

        public int MostAtOnce => mostAtOnce;

        public void ComeBack() => here = true;

        public Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken)
        {
            mostAtOnce = Math.Max(mostAtOnce, notices.Count);
            return here ? behind.SendAsync(notices, cancellationToken) : throw new SinkUnavailableException("answered 503", null);
        }
    }

    private sealed class GatedSink(IAlertSink behind) : IAlertSink
    {
        private readonly TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Name => "gated";

        public Task Entered => entered.Task;

        public void Open() => open.SetResult();

        public async Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken)
        {
            entered.TrySetResult();
            await open.Task;
            await behind.SendAsync(notices, cancellationToken);
        }
    }

    private sealed class HangingSink : IAlertSink
    {
        public string Name => "hanging";

        // Does not even look at its token.
        public Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken) => new TaskCompletionSource().Task;
    }

    private sealed class Monitor(AlertingOptions value) : IOptionsMonitor<AlertingOptions>
    {
        public AlertingOptions CurrentValue => value;

        public AlertingOptions Get(string? name) => value;

        public IDisposable? OnChange(Action<AlertingOptions, string?> listener) => null;
    }
}
