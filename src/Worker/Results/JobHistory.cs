using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Results;

/// <summary>The results of one job as this replica knows them, and who must hear of each.</summary>
internal sealed class JobHistory(string job, IReadOnlyList<IJobResultObserver> observers, JobMetrics metrics, ILogger logger)
{
    // Whatever Redis keeps, and runs of this replica beside that it never took.
    private const int Remembered = 4 * ResultStore.Kept;

    private readonly Lock gate = new();
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);
    private readonly Queue<string> order = new();
    private List<JobResult> results = [];
    private JobResult? shown;
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
    public void Take(JobResult result)
    {
        lock (gate)
        {
            Keep([result], result is { Outcome: JobOutcome.Success, DryRun: false } ? ResultStore.Ended(result) : null);
            if (!seen.Contains(result.RunId))
            {
                See([result]);
                Show([result]);
            }
        }
    }

    /// <summary>Takes what stands in Redis, newest first. What only this replica knows stays.</summary>
    public void Merge(IReadOnlyList<JobResult> incoming, DateTimeOffset? success)
    {
        lock (gate)
        {
            Keep(incoming, success);
            var unseen = Unseen(incoming);
            See(incoming);
            Show(unseen);
        }
    }

    private void Keep(IReadOnlyList<JobResult> incoming, DateTimeOffset? success)
    {
        results = [.. results.Concat(incoming)
            .DistinctBy(result => result.RunId, StringComparer.Ordinal)
            .OrderByDescending(result => result.Started)
            .Take(ResultStore.Kept)];
        lastSuccess = lastSuccess is null || success > lastSuccess ? success ?? lastSuccess : lastSuccess;
        // A dry run is no success, so as a completion it would look like a failure until the next real run.
        metrics.Completed(job, lastSuccess, results.Where(result => !result.DryRun).Select(result => (DateTimeOffset?)ResultStore.Ended(result)).Max());
    }

    /// <summary>What the observers have not been shown, oldest first.</summary>
    private List<JobResult> Unseen(IReadOnlyList<JobResult> incoming)
    {
        // Redis's order is that of the ends, whatever the replicas' clocks say: before the newest known result stands what is new, behind it what came
        // late and must not turn the figures back.
        var known = incoming.TakeWhile(result => !seen.Contains(result.RunId)).Count();
        var fresh = incoming.Take(known).Where(result => !result.DryRun).Reverse().ToList();
        if (known < incoming.Count)
        {
            return fresh;
        }

        if (shown is not null)
        {
            // Nothing in common: only this replica's own runs are known, and Redis has not got them. The clocks are all that is left to go by.
            fresh.RemoveAll(result => result.Started <= shown.Started);
            return fresh;
        }

        // After a start only the newest figures matter; what lies before them has been counted by those who were there.
        var from = fresh.FindLastIndex(result => result.Snapshot is not null);
        fresh.RemoveRange(0, from >= 0 ? from : Math.Max(0, fresh.Count - 1));
        return fresh;
    }

    private void See(IReadOnlyList<JobResult> incoming)
    {
        foreach (var result in incoming.Reverse().Where(result => seen.Add(result.RunId)))
        {
            order.Enqueue(result.RunId);
        }

        while (order.Count > Remembered)
        {
            seen.Remove(order.Dequeue());
        }
    }

    private void Show(List<JobResult> fresh)
    {
        foreach (var result in fresh.Where(result => !result.DryRun))
        {
            shown = result;
            Show(result);
        }
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
