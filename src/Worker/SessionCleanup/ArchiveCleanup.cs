using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.SessionCleanup;

/// <summary>
/// Deletes what the archive need not remember any more, and takes out of the rest what it must not (addresses and user agents whose time is over,
/// what ended sessions held), in batches that skip rows somebody else holds: several workers at once share the work. The budget paces them as it paces
/// Redis's, so that a first run over millions of rows leaves the database to the log-ins.
/// The brake does not count rows, because none is worth keeping: each session in them has ended or expired.
/// </summary>
public sealed class ArchiveCleanup(ISessionArchive archive, IOptionsMonitor<Maintenance.Storage.Sessions.SessionOptions> sessions, SweepMetrics metrics)
{
    private const int RowsPerBatch = 1000;

    // Each is read, and written back one by one.
    private const int RowsToForget = 200;

    /// <summary>Deletes, or counts. An archive that does not answer is an error of the run, and the rest of the run goes on.</summary>
    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var detailsLife = sessions.CurrentValue.ClientDetailsLife;
        try
        {
            if (context.DryRun)
            {
                context.Report.Add("archive_rows_expired", await archive.CountExpiredAsync(cancellationToken));
                context.Report.Add("archive_rows_forgettable", await archive.CountForgettableAsync(detailsLife, cancellationToken));
                return;
            }

            int deleted;
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                deleted = await PacedAsync(context, () => archive.DeleteExpiredAsync(RowsPerBatch, cancellationToken), cancellationToken);
                context.Report.Add("archive_rows_deleted", deleted);
                metrics.ArchiveRowsDeleted(deleted);
            }
            while (deleted == RowsPerBatch);

            int forgotten;
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
                forgotten = await PacedAsync(context, () => archive.ForgetAsync(detailsLife, RowsToForget, cancellationToken), cancellationToken);
                context.Report.Add("archive_rows_forgotten", forgotten);
            }
            while (forgotten == RowsToForget);
        }
        catch (StorageUnavailableException exception) when (exception.Reason == UnavailableReason.Archive)
        {
            context.Report.Error(exception.Message);
        }
    }

    private static Task<int> PacedAsync(JobContext context, Func<Task<int>> batch, CancellationToken cancellationToken) =>
        context.Budget.SpendAsync("archive", 1, batch, cancellationToken);
}
