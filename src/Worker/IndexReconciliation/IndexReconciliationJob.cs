using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Storage.Tokens.Repair;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>
/// Makes sessions and their indexes agree, both ways, and tokens with theirs: one that its index does not name is not valid, so it is removed where a
/// session is put back. One SCAN notes every live session and token; then the indexes are read and compared here; only what
/// does not match goes to a script that looks again on the primary and mends. Large stores are swept in partitions, and an interrupted pass goes on
/// after the last completed one.
/// </summary>
public sealed class IndexReconciliationJob(
    RedisConnection connection,
    RedisKeys keys,
    SessionRepair repair,
    TokenRepair tokens,
    IOptionsMonitor<IndexReconciliationOptions> options,
    SweepMetrics metrics,
    TimeProvider timeProvider) : IMaintenanceJob
{
    private const int MostRestarts = 3;
    private static readonly TimeSpan ReconnectWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReconnectInterval = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc/>
    public string Name => JobNames.IndexReconciliation;

    /// <inheritdoc/>
    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var cursor = new PassCursor(connection, keys, context.Report);
        var server = await ServerIdentity.ReadAsync(connection, context.Report, cancellationToken);
        var state = (context.DryRun ? null : await cursor.ReadAsync(server, cancellationToken)) ?? new PassState { ServerRunId = server };
        if (state.NextTag > 0)
        {
            context.Report.Add("resumed_at_tag", state.NextTag);
        }

        var keyCount = await ServerIdentity.KeyCountAsync(connection, context.Report, cancellationToken);
        var kinds = SweptKind.All(keys, repair, tokens);
        var restarts = 0;
        while (state.NextTag < TagRange.Tags)
        {
            var settings = options.CurrentValue;
            // DBSIZE is more than the sessions, but known before the first scan; that one counts them.
            var range = TagRange.Next(state.NextTag, state.RecordsInStore ?? keyCount ?? 0, settings.MaxSessionsInMemory);
            var partition = new Partition(connection, keys, kinds, repair.Tolerance, metrics, context, state, settings.VerifyGenerations);
            switch (await SweepAsync(partition, range, cancellationToken))
            {
                case SweepEnd.Refused:
                    return;
                case SweepEnd.AnotherServer when ++restarts > MostRestarts:
                    throw new InvalidOperationException($"The server restarted {restarts} times during this pass.");
                case SweepEnd.AnotherServer:
                    context.Report.Warn("The server restarted or changed during the pass, which began again.");
                    state.NextTag = 0;
                    state.ServerRunId = await ServerIdentity.ReadAsync(connection, context.Report, cancellationToken);
                    continue;
            }

            await partition.MendAsync(cancellationToken);
            state.NextTag = range.To;
            if (!context.DryRun && state.NextTag < TagRange.Tags)
            {
                await cursor.SaveAsync(state, settings.CursorLife, cancellationToken);
            }
        }

        if (!context.DryRun)
        {
            await cursor.ClearAsync(cancellationToken);
        }

        context.Report.SetSnapshot(state.ToSnapshot());
    }

    private async Task<SweepEnd> SweepAsync(Partition partition, TagRange range, CancellationToken cancellationToken)
    {
        try
        {
            return await partition.SweepAsync(range, cancellationToken);
        }
        catch (StorageUnavailableException exception) when (exception.Reason is UnavailableReason.Connection or UnavailableReason.NotServing)
        {
            // A restart breaks the connection first. This partition has changed nothing yet, so it can simply begin again.
            if (!await ReconnectedAsync(cancellationToken))
            {
                throw;
            }

            return SweepEnd.AnotherServer;
        }
    }

    private async Task<bool> ReconnectedAsync(CancellationToken cancellationToken)
    {
        var started = timeProvider.GetTimestamp();
        while (timeProvider.GetElapsedTime(started) < ReconnectWithin)
        {
            try
            {
                await connection.CallAsync(database => database.PingAsync(), cancellationToken);
                return true;
            }
            catch (StorageUnavailableException)
            {
                await Task.Delay(ReconnectInterval, timeProvider, cancellationToken);
            }
        }

        return false;
    }
}
