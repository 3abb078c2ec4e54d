using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Alerting;

/// <summary>A job that failed, or that its brake stopped. A run that was canceled or skipped tells nothing.</summary>
internal sealed class JobFailedRule : IAlertRule
{
    public string Name => "job_failed";

    public string? Job => null;

    public IReadOnlyList<Alert>? Evaluate(JobResult result) => result.Outcome switch
    {
        JobOutcome.Success => [],
        JobOutcome.Failed when result.Braked => [Alert.Of("job_braked", "task", result.Job, AlertSeverity.Critical, First(result, "its brake stopped it"), AlertRunbooks.JobFailing)],
        JobOutcome.Failed => [Alert.Of(Name, "task", result.Job, AlertSeverity.Warning, First(result, "it failed"), AlertRunbooks.JobFailing)],
        _ => null,
    };

    private static string First(JobResult result, string otherwise) =>
        $"Job {result.Job}: {(result.Errors is [var first, ..] ? first : result.Reason ?? otherwise)}";
}

/// <summary>A reconciliation that found much drift: something writes past the store, or Redis has lost keys.</summary>
internal sealed class DriftRule(IOptionsMonitor<AlertingOptions> options) : IAlertRule
{
    public string Name => "index_drift";

    public string? Job => JobNames.IndexReconciliation;

    public IReadOnlyList<Alert>? Evaluate(JobResult result)
    {
        if (result.Outcome is not (JobOutcome.Success or JobOutcome.Failed))
        {
            return null;
        }

        var kinds = DriftCounts.Found(result).ToList();
        var drift = kinds.Sum(kind => kind.Count);
        // A pass that failed has not looked at everything: it may show drift, and never that there is none any more.
        return drift <= options.CurrentValue.DriftAbove
            ? result.Outcome == JobOutcome.Success ? [] : null
            : [Alert.Of(
                Name, "task", result.Job, AlertSeverity.Warning,
                $"A pass found {drift} differences between sessions and indexes ({string.Join(", ", kinds.Select(kind => $"{kind.Kind} {kind.Count}"))}); above Alerting:DriftAbove {options.CurrentValue.DriftAbove}.",
                AlertRunbooks.IndexDrift)];
    }
}
