using Maintenance.Testing;
using Maintenance.Worker.Alerting;
using Maintenance.Worker.RedisHealth;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Tests.Alerting;

/// <summary>What the dispatcher does about sinks that fail, hang, refuse or come back, and at the shutdown.</summary>
public sealed class AlertSinkTests : IDisposable
{
    private readonly AlertHarness harness = new();

    public void Dispose() => harness.Dispose();

    [Fact]
    public async Task Shutdown_SendsWhatIsStillQueued()
    {
        // The clock stands: the sink is opened in time, however long this test is held up before that.
        harness.Time = new ManualTimeProvider();
        var gated = new GatedSink(harness.Sink);
        var center = harness.Center("a");
        var dispatcher = await harness.DispatchAsync(center, gated);
        center.Take(JobResults.Health(HealthStatus.Unhealthy, "a"));
        await gated.Entered;
        center.Take(JobResults.Health(HealthStatus.Healthy, "a", minute: 5));
        center.Take(JobResults.Health(HealthStatus.Unhealthy, "a", minute: 10));

        var stopping = dispatcher.DisposeAsync().AsTask();
        gated.Open();
        await stopping;

        harness.Sink.Notices.Select(notice => notice.State).ShouldBe([AlertState.Firing, AlertState.Resolved, AlertState.Firing]);
        harness.Log.WithEvent(2703).ShouldBeEmpty();
    }

    [Fact]
    public async Task Shutdown_DoesNotWaitForASinkThatHangs_AndSaysWhatIsLost()
    {
        // Longer than a shutdown may take: only the limit of the shutdown ends it.
        harness.Options.CurrentValue.SinkTimeout = TimeSpan.FromMinutes(1);
        var center = harness.Center("a");
        var hanging = new GatedSink(harness.Sink);
        var dispatcher = await harness.DispatchAsync(center, hanging);
        center.Take(JobResults.Health(HealthStatus.Unhealthy, "a"));
        await hanging.Entered;
        center.Take(JobResults.Health(HealthStatus.Healthy, "a", minute: 5));
        var started = TimeProvider.System.GetTimestamp();

        await dispatcher.DisposeAsync();

        TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(harness.Options.CurrentValue.SinkTimeout / 2);
        harness.Log.WithEvent(2703).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Sinks_AreTold_WhenAnotherFailsOrHangs()
    {
        harness.Options.CurrentValue.RetryDelay = TimeSpan.FromMilliseconds(20);
        using var sent = new MetricCollector<long>(harness.Meters, "maintenance.alerts.sent");
        var center = harness.Center("a");
        await using var dispatcher = await harness.DispatchAsync(center, new FailingSink(), new HangingSink(), harness.Sink);
        sent.Measurements.Count.ShouldBe(9, "each sink's counters exist from the start");

        center.Take(JobResults.Health(HealthStatus.Unhealthy, "a"));
        await Eventually.TrueAsync(() => sent.Sum(("sink", "failing"), ("outcome", "failure")) >= 3);
        await Eventually.TrueAsync(() => sent.Sum(("sink", "hanging"), ("outcome", "failure")) >= 2);
        center.Take(JobResults.Health(HealthStatus.Healthy, "a", minute: 5));

        await Eventually.TrueAsync(() => sent.Sum(("sink", "log"), ("outcome", "success")) == 2);
        harness.Sink.Notices.Count.ShouldBe(2);
        harness.Log.WithEvent(2702).Count.ShouldBe(2, "told when it begins, not at each try");
        harness.Outcomes.All.Single(state => state.Sink == "failing").Problem.ShouldBe("refused");
        harness.Outcomes.All.Single(state => state.Sink == "log").Problem.ShouldBeNull();
    }

    [Fact]
    public async Task Sink_ThatWasAway_GetsTheNewestOfEachAlert_Once()
    {
        harness.Options.CurrentValue.RetryDelay = TimeSpan.FromMilliseconds(20);
        using var sent = new MetricCollector<long>(harness.Meters, "maintenance.alerts.sent");
        var away = new AwaySink(harness.Sink);
        var center = harness.Center("a");
        await using var dispatcher = await harness.DispatchAsync(center, away);
        center.Take(JobResults.Health(HealthStatus.Unhealthy, "a"));
        await Eventually.TrueAsync(() => sent.Sum(("outcome", "failure")) >= 1);
        center.Take(JobResults.Memory(warning: true, critical: false));
        center.Take(JobResults.Health(HealthStatus.Healthy, "a", minute: 5));
        // Both, and not the beginning of what is over: each comes by itself.
        await Eventually.TrueAsync(() => away.Offered is { Count: 2 } offered && offered.Any(notice => notice.State == AlertState.Resolved));

        away.ComeBack();
        await Eventually.TrueAsync(() => sent.Sum(("outcome", "success")) == 2);

        harness.Sink.Notices.Select(notice => (notice.Alert.Name, notice.State)).ShouldBe([("redis_memory", AlertState.Firing), ("redis_health", AlertState.Resolved)]);
        await Eventually.TrueAsync(() => harness.Log.WithEvent(2704).Count == 1);
    }

    [Fact]
    public async Task Sink_ThatRefuses_IsNotAskedAgain()
    {
        harness.Options.CurrentValue.RetryDelay = TimeSpan.FromMilliseconds(20);
        using var sent = new MetricCollector<long>(harness.Meters, "maintenance.alerts.sent");
        var center = harness.Center("a");
        await using var dispatcher = await harness.DispatchAsync(center, new RefusingSink());
        center.Take(JobResults.Health(HealthStatus.Unhealthy, "a"));
        center.Take(JobResults.Health(HealthStatus.Healthy, "a", minute: 5));

        await Eventually.TrueAsync(() => sent.Sum(("outcome", "dropped")) == 2);
        sent.Sum(("outcome", "failure")).ShouldBe(0);
        await Eventually.TrueAsync(() => harness.Log.WithEvent(2705).Count == 2);
    }

    [Fact]
    public async Task LogSink_WritesErrorsWarningsAndEnds()
    {
        var critical = Alert.Of("redis_health", "node", "r:1", AlertSeverity.Critical, "gone", AlertRunbooks.RedisDown);
        var logSink = new LogSink(Options.Create(new AlertingOptions { RunbooksUrl = "https://docs.example.org/runbooks" }), harness.Log.For<LogSink>());

        await logSink.SendAsync(
            [
                new AlertNotice(critical, AlertState.Firing, JobResults.Start, JobResults.Start, false),
                new AlertNotice(critical with { Severity = AlertSeverity.Warning }, AlertState.Firing, JobResults.Start, JobResults.Start, false),
                new AlertNotice(critical, AlertState.Resolved, JobResults.Start, JobResults.Start, false),
            ],
            CancellationToken.None);

        harness.Log.Entries.Select(entry => entry.Level.ToString()).ShouldBe(["Error", "Warning", "Information"]);
        harness.Log.Entries[0].Message.ShouldContain("gone");
        harness.Log.Entries[0].Values["Runbook"].ShouldBe("https://docs.example.org/runbooks/redis-down.md");
    }
}
