namespace Maintenance.Storage.Histories.Sweeping;

/// <summary>The two jobs that mend sessions.</summary>
internal interface ISweeper
{
    Task CleanupAsync(CancellationToken cancellationToken);

    Task ReconcileAsync(CancellationToken cancellationToken);
}
