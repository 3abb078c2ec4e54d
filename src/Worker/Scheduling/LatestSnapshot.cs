namespace Maintenance.Worker.Scheduling;

/// <summary>The newest figures that a job left, from whichever replica ran it: what a scrape exports and what the next run compares with.</summary>
public sealed class LatestSnapshot<T>(string job) : IJobResultObserver
    where T : class
{
    private T? value;

    /// <inheritdoc/>
    public string Job => job;

    /// <summary>Null until a run has left figures.</summary>
    public T? Value => Volatile.Read(ref value);

    /// <inheritdoc/>
    public void Observe(JobResult result)
    {
        // A run that was canceled or failed early left none; what is known stays.
        if (result.ReadSnapshot<T>() is { } snapshot)
        {
            Volatile.Write(ref value, snapshot);
        }
    }
}
