using System.Collections.Concurrent;

namespace Maintenance.Worker.Scheduling;

/// <summary>
/// Counts the due times that no firing of this replica met. The scheduler itself says too little: of several that it missed it tells one, and none of a
/// firing that it had already taken up when the process stood still.
/// </summary>
internal sealed class PassedDueTimes(JobMetrics metrics, ILogger<PassedDueTimes> logger)
{
    private readonly ConcurrentDictionary<string, (JobSchedule Schedule, DateTimeOffset Next)> jobs = new(StringComparer.Ordinal);

    /// <summary>A job's first firing is to come.</summary>
    public void Expect(string job, JobSchedule schedule, DateTimeOffset firing) => jobs[job] = (schedule, schedule.DueOf(firing));

    /// <summary>A job fires: whatever was due since its last firing has been passed over.</summary>
    public void Fires(string job, DateTimeOffset moment)
    {
        if (!jobs.TryGetValue(job, out var expected))
        {
            return;
        }

        var (schedule, next) = expected;
        var due = schedule.DueOf(moment);
        var passed = schedule.CountDue(next, due);
        if (passed > 0)
        {
            metrics.Misfired(job, passed);
            logger.Misfired(job, passed);
        }

        // A clock that was set back meets due times again.
        if (due >= next)
        {
            jobs[job] = (schedule, schedule.NextDue(due));
        }
    }
}
