namespace Maintenance.Worker.Scheduling;

/// <summary>What every job has. Bound from <c>Jobs:&lt;Name&gt;</c>, for example <c>Jobs:IndexReconciliation:Schedule</c>; a job's own options extend it.</summary>
public class JobOptions
{
    /// <summary>Whether it is scheduled. It can be run by hand all the same. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>An interval (<c>00:05:00</c>, <c>1.00:00:00</c>) or a Quartz cron expression (<c>0 0 * * * ?</c>, UTC).</summary>
    public string Schedule { get; set; } = "";

    /// <summary>Longest random delay of the first run, so that replicas and jobs do not start at once. Default 30 s, never more than the interval.</summary>
    public TimeSpan Jitter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How hard it may work Redis.</summary>
    public BudgetOptions Budget { get; set; } = new();

    /// <summary>How much it may remove.</summary>
    public BrakeOptions Brake { get; set; } = new();
}
