namespace Maintenance.Worker.Scheduling;

/// <summary>What a run may use and where it reports.</summary>
public sealed class JobContext
{
    /// <summary>Say what would be done and do nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>Paces every batch of commands.</summary>
    public required WorkBudget Budget { get; init; }

    /// <summary>Stops a pass that would remove too much.</summary>
    public required Brake Brake { get; init; }

    /// <summary>Counts, warnings, errors and the snapshot for the metrics.</summary>
    public JobReport Report { get; } = new();

    /// <summary>Shows long work to a person at a terminal; null otherwise.</summary>
    public IProgress<JobProgress>? Progress { get; init; }
}

/// <summary>How far a run is.</summary>
/// <param name="Step">What it is doing, for example <c>scan</c>.</param>
/// <param name="Done">Items done in this step.</param>
/// <param name="Total">Items expected, or null when nobody knows.</param>
public readonly record struct JobProgress(string Step, long Done, long? Total);
