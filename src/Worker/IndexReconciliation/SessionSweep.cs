using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>First half of the merge: one SCAN that notes every live session of a partition with its expiry, and who has an index or a generation.</summary>
internal sealed class SessionSweep(RedisConnection connection, KeyspaceScan scan, JobContext context, SweepMetrics metrics)
{
    // What PTTL says of a key that ended since SCAN named it.
    private const long Gone = -2;

    /// <summary>Session keys of the whole store that came, those of other partitions and those that came twice included.</summary>
    public long SessionKeys { get; private set; }

    /// <summary>Fills a table.</summary>
    public async Task<LiveSessions> RunAsync(TagRange range, CancellationToken cancellationToken)
    {
        var live = new LiveSessions();
        var sessions = new List<ScannedKey>();
        var before = 0L;
        await foreach (var page in scan.PagesAsync(cancellationToken))
        {
            metrics.Scanned(scan.Scanned - before);
            before = scan.Scanned;
            foreach (var key in page)
            {
                SessionKeys += key.Parsed.Kind == StateKind.Session ? 1 : 0;
                Note(live, sessions, range, key);
            }

            while (sessions.Count >= context.Budget.BatchSize)
            {
                await ReadLivesAsync(live, sessions, context.Budget.BatchSize, cancellationToken);
            }

            context.Progress?.Report(new JobProgress("scan", scan.Scanned, null));
        }

        while (sessions.Count > 0)
        {
            await ReadLivesAsync(live, sessions, Math.Min(sessions.Count, context.Budget.BatchSize), cancellationToken);
        }

        return live;
    }

    private static void Note(LiveSessions live, List<ScannedKey> sessions, TagRange range, ScannedKey key)
    {
        if (key.Parsed.Kind is not (StateKind.Session or StateKind.SessionIndex or StateKind.Generation) || !range.Contains(key.Parsed.User))
        {
            return;
        }

        switch (key.Parsed.Kind)
        {
            case StateKind.Session:
                sessions.Add(key);
                break;
            case StateKind.SessionIndex:
                live.MarkIndex(key.Parsed.User);
                break;
            default:
                live.MarkGeneration(key.Parsed.User);
                break;
        }
    }

    private async Task ReadLivesAsync(LiveSessions live, List<ScannedKey> sessions, int count, CancellationToken cancellationToken)
    {
        // From the end, so that what remains need not move.
        var batch = sessions.GetRange(sessions.Count - count, count);
        sessions.RemoveRange(sessions.Count - count, count);
        var (now, lives) = await context.Budget.SpendAsync(
            count + 1,
            () => connection.CallAsync(database => ReadAsync(database, batch), cancellationToken, KeyspaceScan.Deadline),
            cancellationToken);
        for (var i = 0; i < count; i++)
        {
            var milliseconds = (long)lives[i];
            if (milliseconds != Gone)
            {
                live.AddSession(batch[i].Parsed.User, batch[i].Parsed.Id, milliseconds < 0 ? LiveSessions.NoExpiry : now + milliseconds);
            }
        }
    }

    private static async Task<(long Now, RedisResult[] Lives)> ReadAsync(IDatabase database, List<ScannedKey> batch)
    {
        var now = ServerClock.NowAsync(database);
        var lives = await Task.WhenAll(batch.Select(key => database.ExecuteAsync("PTTL", key.Name)));
        return (await now, lives);
    }
}
