using Maintenance.Worker.MemoryAlerts;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Tests.Alerting;

/// <summary>Results of jobs on replica <c>a</c>, so many minutes after <see cref="Start"/>.</summary>
internal static class JobResults
{
    public static readonly DateTimeOffset Start = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public static JobResult Health(HealthStatus status, string replica, string code = HealthReasons.Unreachable, int minute = 0)
    {
        var snapshot = new RedisHealthSnapshot
        {
            Status = status,
            Nodes = [new NodeHealth { Node = "redis:6379", Status = status, Reasons = status == HealthStatus.Healthy ? [] : [new HealthReason(code, status, "gone", "there")] }],
        };
        return Result(JobNames.RedisHealth, JobOutcome.Success, snapshot, minute) with { Replica = replica };
    }

    public static JobResult Memory(bool warning, bool critical) => Result(
        JobNames.MemoryAlerts,
        JobOutcome.Success,
        new MemoryAlertsSnapshot { Nodes = [new NodeMemory { Node = "redis:6379", UsedBytes = 9, LimitBytes = 10, Warning = warning, Critical = critical }] });

    public static JobResult Result(string job, JobOutcome outcome, object? snapshot = null, int minute = 0)
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
}
