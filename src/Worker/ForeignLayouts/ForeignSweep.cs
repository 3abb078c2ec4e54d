using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.ForeignLayouts;

/// <summary>First half of the merge: one SCAN of each server that notes the sessions and indexes of every store.</summary>
internal sealed class ForeignSweep(RedisConnection connection, IReadOnlyList<ForeignStore> stores, long mostSessions, JobContext context)
{
    // The value, and PTTL.
    private const int CommandsPerSession = 2;

    private readonly Dictionary<KeySpace, ForeignStore> bySpace = stores.ToDictionary(store => store.Space);
    private readonly List<ForeignName> unread = [];

    /// <summary>Notes what a server has.</summary>
    public async Task RunAsync(ForeignNameScan scan, CancellationToken cancellationToken)
    {
        unread.Clear();
        await foreach (var page in scan.PagesAsync(cancellationToken))
        {
            foreach (var name in page)
            {
                var store = bySpace[name.Space];
                if (name.IsIndex)
                {
                    store.Users.Add(name.User);
                }
                else
                {
                    unread.Add(name);
                }
            }

            while (unread.Count >= context.Budget.BatchSize)
            {
                await ReadAsync(context.Budget.BatchSize, cancellationToken);
            }
        }

        while (unread.Count > 0)
        {
            await ReadAsync(Math.Min(unread.Count, context.Budget.BatchSize), cancellationToken);
        }
    }

    private async Task ReadAsync(int count, CancellationToken cancellationToken)
    {
        // From the end, so that what remains need not move.
        var batch = unread.GetRange(unread.Count - count, count);
        unread.RemoveRange(unread.Count - count, count);
        batch.RemoveAll(name => bySpace[name.Space].TooMany);
        var (now, values) = await ReadAsync(connection, context, batch, cancellationToken);
        for (var i = 0; i < batch.Count; i++)
        {
            var store = bySpace[batch[i].Space];
            if (values[i].LifeMilliseconds == ForeignValue.Gone)
            {
                continue;
            }

            store.Add(batch[i], values[i], now);
            store.TooMany |= store.Count > mostSessions;
        }
    }

    /// <summary>Reads sessions in one flush.</summary>
    /// <returns>Redis's clock, ms since 1970, and the values in the order of the names.</returns>
    public static Task<(long Now, ForeignValue[] Values)> ReadAsync(
        RedisConnection connection, JobContext context, IReadOnlyList<ForeignName> names, CancellationToken cancellationToken) =>
        context.Budget.SpendAsync(
            "foreign sessions",
            (names.Count * CommandsPerSession) + 1,
            () => connection.CallAsync(database => ReadAsync(database, names), cancellationToken, KeyspaceScan.DeadlineOf(connection)),
            cancellationToken);

    private static async Task<(long Now, ForeignValue[] Values)> ReadAsync(IDatabase database, IReadOnlyList<ForeignName> names)
    {
        var now = ServerClock.NowAsync(database);
        var values = await Task.WhenAll(names.Select(name => ForeignValue.ReadAsync(database, name)));
        return (await now, values);
    }
}
