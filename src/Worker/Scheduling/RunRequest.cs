namespace Maintenance.Worker.Scheduling;

/// <summary>What is to be run.</summary>
/// <param name="Job">The job's name.</param>
public sealed record RunRequest(string Job)
{
    /// <summary>When it was due; null for a run by hand.</summary>
    public DateTimeOffset? Due { get; init; }

    /// <summary>Time between two due times; null for a run by hand.</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>Only look.</summary>
    public bool DryRun { get; init; }

    /// <summary>Without the budget's pauses.</summary>
    public bool FullSpeed { get; init; }

    /// <summary>Shows the progress to a person.</summary>
    public IProgress<JobProgress>? Progress { get; init; }
}

/// <summary>Why a run did not begin.</summary>
public enum RunRefusal
{
    /// <summary>It began.</summary>
    None,

    /// <summary>All jobs are paused.</summary>
    Paused,

    /// <summary>A run of this job is under way, here or on another replica.</summary>
    Running,

    /// <summary>Another replica has done this due time.</summary>
    Done,

    /// <summary>It is due only long after Redis's time: this replica's clock is wrong.</summary>
    ClockAhead,

    /// <summary>Redis could not give the lease.</summary>
    NoLease,

    /// <summary>This process is ending.</summary>
    Stopping,
}

/// <summary>A run that has begun, or the result that says why not.</summary>
/// <param name="RunId">Identifies the run.</param>
/// <param name="Refusal">Why it did not begin.</param>
/// <param name="Completion">Ends with the result; of a refused run it has ended.</param>
public sealed record RunStart(string RunId, RunRefusal Refusal, Task<JobResult> Completion);
