using System.Diagnostics;

namespace Maintenance.Worker.Scheduling;

/// <summary>One span a run of a job; what it does to Redis lies below it.</summary>
public static class JobTrace
{
    /// <summary>Name of the source, for whoever collects spans.</summary>
    public const string SourceName = "Maintenance.Worker";

    private static readonly ActivitySource Source = new(SourceName);

    internal static Activity? Start(string job, string runId, bool dryRun) => Source.StartActivity($"job {job}", ActivityKind.Internal)
        ?.SetTag("maintenance.job", job)
        .SetTag("maintenance.run_id", runId)
        .SetTag("maintenance.dry_run", dryRun);

    internal static void Ended(Activity? span, RunEnding ending)
    {
        span?.SetTag("maintenance.outcome", ending.Outcome.ToString().ToLowerInvariant());
        if (ending.Outcome == JobOutcome.Failed)
        {
            span?.SetTag("error.type", ending.Reason ?? "failed");
            span?.SetStatus(ActivityStatusCode.Error);
        }
    }
}
