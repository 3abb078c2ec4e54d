using Maintenance.Worker.Results;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Status;

/// <summary>A job as <c>/api/jobs</c> shows it.</summary>
public sealed record JobView
{
    public required string Name { get; init; }

    public required bool Enabled { get; init; }

    public required string Schedule { get; init; }

    public double? IntervalSeconds { get; init; }

    public DateTimeOffset? NextRun { get; init; }

    /// <summary>The run under way on this replica.</summary>
    public RunningJob? Running { get; init; }

    public DateTimeOffset? LastSuccess { get; init; }

    /// <summary>Newest first.</summary>
    public required IReadOnlyList<JobResult> Results { get; init; }
}

/// <summary>All jobs.</summary>
internal sealed record JobsOverview(string Replica, Pause? Paused, IReadOnlyList<JobView> Jobs);

/// <summary>Puts together what this replica knows of its jobs, without asking Redis.</summary>
internal sealed class JobsView(
    IEnumerable<JobRegistration> jobs, IServiceProvider provider, JobRunner runner, ResultsCache results, ScheduleBoard board)
{
    /// <summary>Results of each job in the overview; one job alone is shown with all.</summary>
    public const int InOverview = 5;

    public IReadOnlyList<JobView> All() => [.. jobs.Select(job => View(job, InOverview))];

    /// <summary>Each job with every result that is kept.</summary>
    public IReadOnlyList<JobView> AllInFull() => [.. jobs.Select(job => View(job, ResultStore.Kept))];

    public JobView? Find(string name) =>
        jobs.FirstOrDefault(job => job.Name == name) is { } job ? View(job, ResultStore.Kept) : null;

    private JobView View(JobRegistration job, int count)
    {
        var options = job.Options(provider);
        var scheduled = board.Find(job.Name);
        return new JobView
        {
            Name = job.Name,
            Enabled = options.Enabled,
            Schedule = options.Schedule,
            IntervalSeconds = scheduled?.Interval.TotalSeconds,
            NextRun = scheduled?.Next,
            Running = runner.Running(job.Name),
            LastSuccess = results.LastSuccess(job.Name),
            Results = [.. results.Results(job.Name).Take(count)],
        };
    }
}
