using System.Collections.Concurrent;

namespace Maintenance.Worker.Scheduling;

/// <summary>What a run leaves in the log: one line with its counts, its warnings when they are new or other than at the run before, and once a process what the server does not offer.</summary>
public sealed class RunLog(ILogger<JobRunner> logger)
{
    // A job that never succeeds and words its warnings with figures must not fill the memory.
    private const int MostRemembered = 100;

    private readonly ConcurrentDictionary<string, byte> notAvailable = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, IReadOnlyList<string>> lastWarnings = new(StringComparer.Ordinal);

    internal void Ended(JobResult result)
    {
        foreach (var what in result.Unavailable)
        {
            if (notAvailable.TryAdd(what, 0))
            {
                logger.NotAvailable(what, result.Job);
            }
        }

        var known = lastWarnings.GetValueOrDefault(result.Job, []);
        foreach (var warning in result.Warnings.Except(known, StringComparer.Ordinal))
        {
            logger.RunWarned(result.Job, warning);
        }

        // A run that was cut short has not looked at everything: what it did not say is not over.
        lastWarnings[result.Job] = result.Outcome == JobOutcome.Success ? result.Warnings : [.. known.Union(result.Warnings, StringComparer.Ordinal).TakeLast(MostRemembered)];

        var reason = result.Reason is null ? "" : $" ({result.Reason})";
        var counts = result.Counts.Count == 0 ? "no counts" : string.Join(", ", result.Counts.Select(count => $"{count.Key}={count.Value}"));
        var error = result.Errors.Count == 0 ? "" : $"; first: {result.Errors[0]}";
        var due = Due(result);
        if (result.Outcome == JobOutcome.Failed)
        {
            logger.RunFailed(result.Job, result.RunId, result.Outcome, reason, result.DurationSeconds, due, result.DryRun, counts, result.ErrorCount, error);
        }
        else
        {
            logger.RunEnded(result.Job, result.RunId, result.Outcome, reason, result.DurationSeconds, due, result.DryRun, counts, result.ErrorCount, error);
        }
    }

    internal void Skipped(JobResult result) => logger.RunSkipped(result.Job, result.Reason ?? "", Due(result));

    internal void WithoutLease(string job, string problem) => logger.RunsWithoutLease(job, problem);

    internal void Broke(Exception exception, string job, string runId) => logger.RunBroke(exception, job, runId);

    private static string Due(JobResult result) => result.Due is { } due ? due.ToString("u") : "by hand";
}
