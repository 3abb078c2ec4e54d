namespace Maintenance.Worker.Scheduling;

/// <summary>The newest figures that a job left, from whichever replica ran it: what a scrape exports and what the next run compares with.</summary>
public sealed class LatestSnapshot<T>
    where T : class
{
    private T? value;

    /// <summary>Null until a run has left figures.</summary>
    public T? Value => Volatile.Read(ref value);

    /// <summary>Takes a result's figures. A run that was canceled or failed early left none; what is known stays.</summary>
    /// <returns>The figures of this result, or null.</returns>
    public T? Take(JobResult result)
    {
        var snapshot = result.ReadSnapshot<T>();
        if (snapshot is not null)
        {
            Volatile.Write(ref value, snapshot);
        }

        return snapshot;
    }
}
