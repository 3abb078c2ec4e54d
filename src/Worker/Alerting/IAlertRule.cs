using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Alerting;

/// <summary>Reads from a job's result what is wrong. Pure: every replica comes to the same answer from the same result.</summary>
public interface IAlertRule
{
    /// <summary>The rule's name; alerts of one rule and job are compared with those that it found before.</summary>
    string Name { get; }

    /// <summary>The job whose results it reads; null for every job.</summary>
    string? Job { get; }

    /// <summary>What is wrong now; empty if nothing is; null if this result does not tell, and all stays as it was.</summary>
    IReadOnlyList<Alert>? Evaluate(JobResult result);
}
