using System.Collections.Concurrent;

namespace Maintenance.Worker.Scheduling;

/// <summary>A job's place in this replica's schedule.</summary>
/// <param name="Interval">Time between two due times.</param>
/// <param name="Since">When it was scheduled here: nothing can be overdue before.</param>
/// <param name="Next">When it fires next.</param>
public sealed record ScheduledJob(TimeSpan Interval, DateTimeOffset Since, DateTimeOffset? Next);

/// <summary>What this replica has scheduled, for status, health and metrics.</summary>
public sealed class ScheduleBoard(JobMetrics metrics)
{
    private readonly ConcurrentDictionary<string, ScheduledJob> jobs = new(StringComparer.Ordinal);

    /// <summary>A job's place; null if it is not scheduled.</summary>
    public ScheduledJob? Find(string job) => jobs.GetValueOrDefault(job);

    internal void Set(string job, TimeSpan interval, DateTimeOffset now, DateTimeOffset? next)
    {
        jobs.AddOrUpdate(job, _ => new ScheduledJob(interval, now, next), (_, known) => known with { Interval = interval, Next = next });
        metrics.Scheduled(job, interval, next);
    }
}
