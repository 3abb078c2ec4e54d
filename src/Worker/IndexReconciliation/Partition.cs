using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>One partition of a pass: sweep, compare, brake, mend. Every kind of record has its own table, brake and figures.</summary>
internal sealed class Partition(
    RedisPrimary primary,
    RedisConnection connection,
    RedisKeys keys,
    IReadOnlyList<SweptKind> kinds,
    TimeSpan tolerance,
    SweepMetrics metrics,
    JobContext context,
    PassState state,
    bool verifyGenerations)
{
    private readonly List<KindMending> found = [];

    /// <summary>Finds the suspects; changes nothing.</summary>
    public async Task<SweepEnd> SweepAsync(TagRange range, CancellationToken cancellationToken)
    {
        var scan = new KeyspaceScan(primary.Connection, keys, context);
        var sweep = new SessionSweep(connection, scan, kinds, context, metrics);
        var tables = await sweep.RunAsync(range, cancellationToken);
        if (scan.Refused)
        {
            return SweepEnd.Refused;
        }

        found.Clear();
        for (var i = 0; i < kinds.Count; i++)
        {
            var live = tables[i];
            var comparison = new IndexComparison(connection, kinds[i], context, live)
            {
                Tolerance = tolerance,
                VerifyGenerations = verifyGenerations,
                // Noted in the sessions' table only.
                HasGeneration = i == 0 ? live.HasGeneration : user => tables[0].HasGeneration(live.User(user)),
            };
            await comparison.RunAsync(cancellationToken);
            found.Add(new KindMending(kinds[i], live, comparison, metrics, context, state));
        }

        if (await ServerIdentity.ReadAsync(primary.Connection, context.Report, cancellationToken) != state.ServerRunId)
        {
            return SweepEnd.AnotherServer;
        }

        Report(scan, sweep, first: range.From == 0);
        return SweepEnd.Complete;
    }

    /// <summary>Takes the suspects to the scripts.</summary>
    /// <exception cref="BrakeException">
    /// Those of one kind would remove too much; nothing of it was removed. What is harmless, and the other kinds, were mended all the same.
    /// </exception>
    public async Task MendAsync(CancellationToken cancellationToken)
    {
        BrakeException? braked = null;
        foreach (var kind in found)
        {
            try
            {
                await kind.MendAsync(cancellationToken);
            }
            catch (BrakeException exception)
            {
                braked ??= exception;
            }
        }

        if (braked is not null)
        {
            throw braked;
        }
    }

    private void Report(KeyspaceScan scan, SessionSweep sweep, bool first)
    {
        state.RecordsInStore = sweep.RecordKeys;
        context.Report.Add("keys_scanned", scan.Scanned);
        foreach (var kind in found)
        {
            kind.Report();
        }

        if (first)
        {
            context.Report.Add("foreign_keys", scan.Foreign);
            (state.SessionKeys, state.OtherPrefix) = (sweep.SessionKeys, scan.OtherPrefix);
        }
    }
}
