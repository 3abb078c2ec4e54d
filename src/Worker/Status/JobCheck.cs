using Maintenance.Worker.Results;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Maintenance.Worker.Status;

/// <summary>Whether a job runs as it should: degraded when two intervals have passed without a run on any replica, or when its last run failed.</summary>
internal sealed class JobCheck(JobRegistration job, ResultsCache results, ScheduleBoard board, JobRunner runner, TimeProvider timeProvider) : IHealthCheck
{
    /// <summary>In front of the job's name in the check's.</summary>
    public const string Prefix = "job:";

    private const int IntervalsUntilOverdue = 2;

    // Clocks of a healthy network differ a little.
    private static readonly TimeSpan LeastAhead = TimeSpan.FromMinutes(1);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Check());

    /// <summary>Looks at what this replica holds; asks nothing of Redis.</summary>
    public HealthCheckResult Check()
    {
        if (board.Find(job.Name) is not { } scheduled)
        {
            return HealthCheckResult.Healthy("Not scheduled.");
        }

        // A replica whose clock runs ahead leaves results of the future; taken at their word they would hide for as long that nothing runs.
        var now = timeProvider.GetUtcNow();
        var last = results.Results(job.Name).FirstOrDefault(result =>
            !result.DryRun && result.Outcome is JobOutcome.Success or JobOutcome.Failed && ResultStore.Ended(result) <= now + LeastAhead);
        var since = last is null ? scheduled.Since : ResultStore.Ended(last);
        since = since > scheduled.Since ? since : scheduled.Since;
        var waited = now - since;
        if (waited > scheduled.Interval * IntervalsUntilOverdue)
        {
            // A run that takes long is no run that is missing.
            if (runner.Running(job.Name) is { DryRun: false } here)
            {
                return HealthCheckResult.Healthy($"Running since {here.Started:u}.");
            }

            // Looked for at least once an interval: each firing meets its lease.
            if (runner.Elsewhere(job.Name) is { } other && now - other.Seen <= scheduled.Interval)
            {
                return HealthCheckResult.Healthy($"Running on {other.Replica}.");
            }

            return HealthCheckResult.Degraded($"Overdue: no run has ended for {waited:d\\.hh\\:mm\\:ss}, its interval is {scheduled.Interval}.");
        }

        if (last is null)
        {
            return HealthCheckResult.Healthy("Has not run yet.");
        }

        if (last.Outcome == JobOutcome.Failed)
        {
            return HealthCheckResult.Degraded($"Failed at {last.Started:u}: {(last.Errors.Count > 0 ? last.Errors[0] : last.Reason)}");
        }

        return ProbeStatus.Read(last) is { } probe
            ? new HealthCheckResult(
                probe.Status switch
                {
                    RedisHealth.HealthStatus.Unhealthy => HealthStatus.Unhealthy,
                    RedisHealth.HealthStatus.Degraded => HealthStatus.Degraded,
                    _ => HealthStatus.Healthy,
                },
                probe.Reasons.Count == 0 ? $"Redis was {probe.Text} at {last.Started:u}." : string.Join(" ", probe.Reasons))
            : HealthCheckResult.Healthy($"Succeeded at {last.Started:u} in {last.DurationSeconds:0.###} s on {last.Replica}.");
    }
}
