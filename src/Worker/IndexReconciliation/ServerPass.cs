using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>The pass over one server, partition after partition. What it sees there is mended where the keys are by then.</summary>
internal sealed class ServerPass(
    RedisPrimary primary,
    RedisConnection connection,
    RedisKeys keys,
    IReadOnlyList<SweptKind> kinds,
    TimeSpan tolerance,
    IOptionsMonitor<IndexReconciliationOptions> options,
    SweepMetrics metrics,
    JobContext context,
    TimeProvider timeProvider)
{
    private const int MostRestarts = 3;
    private static readonly TimeSpan LeastReconnectWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReconnectInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>What it has found so far; null before it began.</summary>
    public PassState? State { get; private set; }

    /// <summary>Whether that is worth showing: the pass came to its end, or the brake stopped it.</summary>
    public bool HasFigures { get; private set; }

    /// <summary>Sweeps and mends.</summary>
    /// <exception cref="BrakeException">It would remove too much.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var cursor = new PassCursor(connection, keys, primary.Node?.Id, context.Report);
        var server = await ServerIdentity.ReadAsync(primary.Connection, context.Report, cancellationToken);
        var state = State = (context.DryRun ? null : await cursor.ReadAsync(server, cancellationToken)) ?? new PassState { ServerRunId = server };
        if (state.NextTag > 0)
        {
            context.Report.Add("resumed_at_tag", state.NextTag);
        }

        var keyCount = await ServerIdentity.KeyCountAsync(primary.Connection, context.Report, cancellationToken);
        var restarts = 0;
        while (state.NextTag < TagRange.Tags)
        {
            var settings = options.CurrentValue;
            // DBSIZE is more than the sessions, but known before the first scan; that one counts them.
            var range = TagRange.Next(state.NextTag, state.RecordsInStore ?? keyCount, settings.MaxSessionsInMemory);
            var partition = new Partition(primary, connection, keys, kinds, tolerance, metrics, context, state, settings.VerifyGenerations);
            switch (await SweepAsync(partition, range, cancellationToken))
            {
                case SweepEnd.Refused:
                    return;
                case SweepEnd.AnotherServer when ++restarts > MostRestarts:
                    throw new InvalidOperationException($"The server restarted {restarts} times during this pass.");
                case SweepEnd.AnotherServer:
                    server = await ServerIdentity.ReadAsync(primary.Connection, context.Report, cancellationToken);
                    if (server is null || server != state.ServerRunId)
                    {
                        context.Report.Warn("The server restarted or changed during the pass, which began again.");
                        // From nothing: what the partitions before found is found again.
                        state = State = new PassState { ServerRunId = server };
                    }

                    continue;
            }

            await MendAsync(partition, cancellationToken);
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

        HasFigures = true;
    }

    private async Task MendAsync(Partition partition, CancellationToken cancellationToken)
    {
        try
        {
            await partition.MendAsync(cancellationToken);
        }
        catch (BrakeException)
        {
            HasFigures = true;
            throw;
        }
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
        var within = primary.Connection.DeadlineOfAtLeast(LeastReconnectWithin);
        var started = timeProvider.GetTimestamp();
        while (timeProvider.GetElapsedTime(started) < within)
        {
            try
            {
                await primary.Connection.CallAsync(database => database.PingAsync(), cancellationToken);
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
