using Maintenance.Testing;
using Maintenance.Worker.Alerting;
using Maintenance.Worker.RedisHealth;

namespace Maintenance.Worker.Tests.Alerting;

/// <summary>Which replica tells an alert, and when it is told again.</summary>
public sealed class AlertTellingTests : IDisposable
{
    private readonly AlertHarness harness = new();

    public void Dispose() => harness.Dispose();

    [Fact]
    public async Task Results_AreTold_WhenThisReplicaRanTheJob()
    {
        var center = harness.Center("a");
        await using var dispatcher = await harness.DispatchAsync(center, harness.Sink);

        center.Take(JobResults.Health(HealthStatus.Unhealthy, "a"));
        await Eventually.TrueAsync(() => harness.Sink.Notices.Count == 1);
        center.Take(JobResults.Health(HealthStatus.Unhealthy, "a", minute: 5));
        center.Take(JobResults.Health(HealthStatus.Healthy, "a", minute: 10));
        await Eventually.TrueAsync(() => harness.Sink.Notices.Count == 2);

        harness.Sink.Notices[0].Alert.Severity.ShouldBe(AlertSeverity.Critical);
        harness.Sink.Notices[0].Alert.Identity.ShouldBe("""redis_health{node="redis:6379"}""");
        harness.Sink.Notices[1].State.ShouldBe(AlertState.Resolved);
    }

    [Fact]
    public async Task Results_AreToldByOneReplicaOnly()
    {
        var other = harness.Center("b");
        await using var dispatcher = await harness.DispatchAsync(other, harness.Sink);

        other.Take(JobResults.Health(HealthStatus.Unhealthy, "a"));
        other.Firing.ShouldHaveSingleItem("it knows");
        other.Take(JobResults.Health(HealthStatus.Unhealthy, "b", minute: 5));
        other.Take(JobResults.Health(HealthStatus.Healthy, "b", minute: 10));

        await Eventually.TrueAsync(() => harness.Sink.Notices.Count == 1);
        harness.Sink.Notices.Single().State.ShouldBe(AlertState.Resolved, "a told that it began, b that it is over");
    }

    [Fact]
    public async Task Alert_IsNotToldAgain_WhenTheReplicaIsANewProcess()
    {
        var restarted = harness.Center("a-new");
        await using var dispatcher = await harness.DispatchAsync(restarted, harness.Sink);

        // What ResultsCache shows at the start, then a run of its own.
        restarted.Take(JobResults.Health(HealthStatus.Unhealthy, "a-old"));
        restarted.Take(JobResults.Health(HealthStatus.Unhealthy, "a-new", minute: 5));
        restarted.Take(JobResults.Health(HealthStatus.Unhealthy, "a-new", minute: 4 * 60));

        await Eventually.TrueAsync(() => harness.Sink.Notices.Count == 1);
        harness.Sink.Notices.Single().Repeated.ShouldBeTrue();
        harness.Sink.Notices.Single().Since.ShouldBe(JobResults.Start);
    }

    [Fact]
    public async Task Alert_IsTold_WhenAPersonSawItBeforeOnTheCommandLine()
    {
        var center = harness.Center("server");
        await using var dispatcher = await harness.DispatchAsync(center, harness.Sink);

        center.Take(JobResults.Health(HealthStatus.Unhealthy, "command-line") with { Due = null, OneShot = true });
        center.Take(JobResults.Health(HealthStatus.Unhealthy, "server", minute: 5));

        await Eventually.TrueAsync(() => harness.Sink.Notices.Count == 1);
        harness.Sink.Notices.Single().Repeated.ShouldBeFalse();
    }

    [Fact]
    public async Task Alert_OfARunByHandElsewhere_IsNotToldAgain_AndItsEndIsTold()
    {
        var other = harness.Center("b");
        await using var dispatcher = await harness.DispatchAsync(other, harness.Sink);

        other.Take(JobResults.Health(HealthStatus.Unhealthy, "a") with { Due = null });
        other.Firing.ShouldHaveSingleItem("a has told it, whoever asked for the run");
        other.Take(JobResults.Health(HealthStatus.Unhealthy, "b", minute: 5));
        other.Take(JobResults.Health(HealthStatus.Healthy, "b", minute: 10));

        await Eventually.TrueAsync(() => harness.Sink.Notices.Count == 1);
        harness.Sink.Notices.Single().State.ShouldBe(AlertState.Resolved);
    }
}
