using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Results;

/// <summary>The results of one job as this replica knows them, and who must hear of each.</summary>
internal sealed class JobHistory(string job, IReadOnlyList<IJobResultObserver> observers, JobMetrics metrics, ILogger logger)
{
    private readonly Lock gate = new();
    private List<JobResult> results = [];
    private DateTimeOffset observedUntil = DateTimeOffset.MinValue;
    private DateTimeOffset? lastSuccess;

    public string Job => job;

    public (IReadOnlyList<JobResult> Results, DateTimeOffset? LastSuccess) Read()
    {
        lock (gate)
        {
            return (results, lastSuccess);
        }
    }

    /// <summary>Takes a run of this replica, written to Redis or not.</summary>
    public void Take(JobResult result) => Merge([result], result is { Outcome: JobOutcome.Success, DryRun: false } ? ResultStore.Ended(result) : null);

    /// <summary>Takes what stands in Redis. What only this replica knows stays.</summary>
    public void Merge(IReadOnlyList<JobResult> incoming, DateTimeOffset? success)
    {
        lock (gate)
        {
            var merged = results.Concat(incoming)
                .DistinctBy(result => result.RunId, StringComparer.Ordinal)
                .OrderByDescending(result => result.Started)
                .Take(ResultStore.Kept)
                .ToList();
            results = merged;
            lastSuccess = lastSuccess is null || success > lastSuccess ? success ?? lastSuccess : lastSuccess;
            metrics.Completed(job, lastSuccess, merged.Count > 0 ? merged.Max(ResultStore.Ended) : null);
            foreach (var result in Unseen(merged))
            {
                observedUntil = result.Started;
                Show(result);
            }
        }
    }

    private List<JobResult> Unseen(List<JobResult> merged)
    {
        var unseen = merged.Where(result => !result.DryRun && result.Started > observedUntil).OrderBy(result => result.Started).ToList();
        if (observedUntil == DateTimeOffset.MinValue)
        {
            // After a start only the newest figures matter; what lies before them has been counted by those who were there.
            var from = unseen.FindLastIndex(result => result.Snapshot is not null);
            unseen.RemoveRange(0, from >= 0 ? from : Math.Max(0, unseen.Count - 1));
        }

        return unseen;
    }

    private void Show(JobResult result)
    {
        foreach (var observer in observers)
        {
            try
            {
                observer.Observe(result);
            }
            catch (Exception exception)
            {
                // Figures of one job must not keep the others from theirs.
                logger.ObserverFailed(exception, job, result.RunId);
            }
        }
    }
}
