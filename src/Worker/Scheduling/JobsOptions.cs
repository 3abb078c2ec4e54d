namespace Maintenance.Worker.Scheduling;

/// <summary>What concerns all jobs. Bound from <c>Jobs</c>.</summary>
public sealed class JobsOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Jobs";

    /// <summary>Skips every run while true, scheduled or by hand. Default false. For a pause without a restart see the verb <c>pause</c>.</summary>
    public bool Paused { get; set; }
}
