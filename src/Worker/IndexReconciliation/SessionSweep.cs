using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>
/// First half of the merge: one SCAN that notes every live session and token of a partition with its expiry, and who has an index or a generation.
/// A table a kind.
/// </summary>
internal sealed class SessionSweep(
    RedisConnection connection, KeyspaceScan scan, IReadOnlyList<SweptKind> kinds, JobContext context, SweepMetrics metrics)
{
    // What PTTL says of a key that ended since SCAN named it.
    private const long Gone = -2;

    /// <summary>Session keys of the whole store that came, those of other partitions and those that came twice included.</summary>
    public long SessionKeys { get; private set; }

    /// <summary>The same with the tokens of every kind: what the tables of all partitions together hold.</summary>
    public long RecordKeys { get; private set; }

    /// <summary>Fills the tables, in the order of the kinds.</summary>
    public async Task<IReadOnlyList<LiveSessions>> RunAsync(TagRange range, CancellationToken cancellationToken)
    {
        LiveSessions[] live = [.. kinds.Select(_ => new LiveSessions())];
        var records = new List<(int Table, ScannedKey Key)>();
        var before = 0L;
        await foreach (var page in scan.PagesAsync(cancellationToken))
        {
            metrics.Scanned(scan.Scanned - before);
            before = scan.Scanned;
            foreach (var key in page)
            {
                Note(live, records, range, key);
            }

            while (records.Count >= context.Budget.BatchSize)
            {
                await ReadLivesAsync(live, records, context.Budget.BatchSize, cancellationToken);
            }

            context.Progress?.Report(new JobProgress("scan", scan.Scanned, null));
        }

        while (records.Count > 0)
        {
            await ReadLivesAsync(live, records, Math.Min(records.Count, context.Budget.BatchSize), cancellationToken);
        }

        return live;
    }

    private void Note(LiveSessions[] live, List<(int Table, ScannedKey Key)> records, TagRange range, ScannedKey key)
    {
        SessionKeys += key.Parsed.Kind == StateKind.Session ? 1 : 0;
        if (key.Parsed.Kind == StateKind.Generation)
        {
            if (range.Contains(key.Parsed.User))
            {
                // In one table only: the others look there.
                live[0].MarkGeneration(key.Parsed.User);
            }

            return;
        }

        for (var table = 0; table < kinds.Count; table++)
        {
            if (key.Parsed.Kind == kinds[table].Record)
            {
                RecordKeys++;
                if (range.Contains(key.Parsed.User))
                {
                    records.Add((table, key));
                }

                return;
            }

            if (key.Parsed.Kind == kinds[table].Index)
            {
                if (range.Contains(key.Parsed.User))
                {
                    live[table].MarkIndex(key.Parsed.User);
                }

                return;
            }
        }
    }

    private async Task ReadLivesAsync(LiveSessions[] live, List<(int Table, ScannedKey Key)> records, int count, CancellationToken cancellationToken)
    {
        // From the end, so that what remains need not move.
        var batch = records.GetRange(records.Count - count, count);
        records.RemoveRange(records.Count - count, count);
        var (now, lives) = await context.Budget.SpendAsync(
            "lives",
            count + 1,
            () => connection.CallAsync(database => ReadAsync(database, batch), cancellationToken, KeyspaceScan.DeadlineOf(connection)),
            cancellationToken);
        for (var i = 0; i < count; i++)
        {
            var milliseconds = (long)lives[i];
            var (table, key) = batch[i];
            if (milliseconds != Gone)
            {
                live[table].AddSession(key.Parsed.User, key.Parsed.Id, milliseconds < 0 ? LiveSessions.NoExpiry : now + milliseconds);
            }
        }
    }

    private static async Task<(long Now, RedisResult[] Lives)> ReadAsync(IDatabase database, List<(int Table, ScannedKey Key)> batch)
    {
        var now = ServerClock.NowAsync(database);
        var lives = await Task.WhenAll(batch.Select(record => database.ExecuteAsync("PTTL", record.Key.Name)));
        return (await now, lives);
    }
}
