namespace Maintenance.Worker.Scheduling;

/// <summary>
/// One kind of work on the store. A job knows nothing of schedules, leases or results: the runner gives it a context and stores what it reports.
/// Cancellation must end it within one batch; it is not a failure. An error that spoils one item goes to the report and the rest goes on.
/// </summary>
public interface IMaintenanceJob
{
    /// <summary>The job's name: key part, metric label and CLI argument, for example <c>session-cleanup</c>.</summary>
    string Name { get; }

    /// <summary>Runs once.</summary>
    /// <param name="context">Budget, brake, report and whether this is a dry run.</param>
    /// <param name="cancellationToken">Shutdown, a lost lease, or a person.</param>
    Task RunAsync(JobContext context, CancellationToken cancellationToken);
}

/// <summary>Takes each newer result of one job, from this replica or another, so that every replica exports the same figures.</summary>
public interface IJobResultObserver
{
    /// <summary>The job whose results it takes.</summary>
    string Job { get; }

    /// <summary>Called with results in order of their start; never concurrently for one observer. Dry runs are not shown to it.</summary>
    void Observe(JobResult result);
}
