using Maintenance.Worker.Alerting;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Tests.Alerting;

/// <summary>What a job's result makes of each rule.</summary>
public sealed class AlertRuleTests : IDisposable
{
    private readonly AlertHarness harness = new();

    public void Dispose() => harness.Dispose();

    [Fact]
    public void UnsafePolicy_IsAnAlertOfItsOwn()
    {
        var center = harness.Center("a");

        center.Take(JobResults.Health(HealthStatus.Degraded, "a", HealthReasons.UnsafePolicy));

        center.Firing.ShouldHaveSingleItem().Name.ShouldBe("redis_unsafe_policy");
    }

    [Fact]
    public void Memory_BecomesCritical_AsOneAlert()
    {
        var center = harness.Center("a");

        center.Take(JobResults.Memory(warning: true, critical: false));
        center.Firing.ShouldHaveSingleItem().Severity.ShouldBe(AlertSeverity.Warning);
        center.Take(JobResults.Memory(warning: true, critical: true));

        center.Firing.ShouldHaveSingleItem().Severity.ShouldBe(AlertSeverity.Critical);
    }

    [Fact]
    public void Brake_IsCritical_AndEndsWithASuccess()
    {
        var center = harness.Center("a");

        center.Take(JobResults.Result(JobNames.SessionCleanup, JobOutcome.Failed) with { Braked = true, Errors = ["Stopped before removing 9 of 10 sessions"] });
        center.Firing.ShouldHaveSingleItem().Identity.ShouldBe("""job_braked{task="session-cleanup"}""");
        center.Take(JobResults.Result(JobNames.SessionCleanup, JobOutcome.Canceled));
        center.Firing.ShouldHaveSingleItem("a canceled run tells nothing");
        center.Take(JobResults.Result(JobNames.SessionCleanup, JobOutcome.Success));

        center.Firing.ShouldBeEmpty();
    }

    [Fact]
    public void Drift_IsAnAlert_WhenItIsAboveTheOption()
    {
        var center = harness.Center("a");
        var result = JobResults.Result(JobNames.IndexReconciliation, JobOutcome.Success);

        center.Take(result with { Counts = new Dictionary<string, long>(StringComparer.Ordinal) { ["drift_dangling"] = 600, ["drift_missing"] = 400, ["keys_scanned"] = 99999 } });
        center.Firing.ShouldBeEmpty();
        center.Take(result with { Counts = new Dictionary<string, long>(StringComparer.Ordinal) { ["drift_dangling"] = 601, ["drift_missing"] = 400 } });

        center.Firing.ShouldHaveSingleItem().Summary.ShouldContain("dangling 601");
    }

    [Fact]
    public void DriftRule_NeverCallsItMended_ByAPassThatFailed()
    {
        new DriftRule(harness.Options).Evaluate(JobResults.Result(JobNames.IndexReconciliation, JobOutcome.Failed)).ShouldBeNull();
        new DriftRule(harness.Options).Evaluate(JobResults.Result(JobNames.IndexReconciliation, JobOutcome.Success)).ShouldBeEmpty();
    }
}
