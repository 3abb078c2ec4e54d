using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.SessionCleanup;

/// <summary>What cheap, pipelined reads say about a page of keys.</summary>
internal sealed class CleanupCandidates(RedisConnection connection, JobContext context)
{
    private const long NoTtl = -1;

    /// <summary>Users whose index has a member whose time is over.</summary>
    public List<UserReference> ExpiredIndexes { get; } = [];

    /// <summary>Keys without a TTL.</summary>
    public List<ScannedKey> WithoutTtl { get; } = [];

    /// <summary>Index keys that are not sorted sets.</summary>
    public int Foreign { get; private set; }

    /// <summary>Reads the life of each key and the lowest score of each index.</summary>
    public async Task ReadAsync(IEnumerable<ScannedKey> keys, CancellationToken cancellationToken)
    {
        foreach (var batch in keys.Chunk(context.Budget.BatchSize))
        {
            var commands = 1 + batch.Length + batch.Count(key => key.Parsed.Kind == StateKind.SessionIndex);
            var (now, answers) = await context.Budget.SpendAsync(
                commands, () => connection.CallAsync(database => ReadAsync(database, batch), cancellationToken, KeyspaceScan.Deadline), cancellationToken);
            for (var i = 0; i < batch.Length; i++)
            {
                Take(batch[i], answers[i].Life, answers[i].Lowest, now);
            }
        }
    }

    private static async Task<(long Now, (long Life, SortedSetEntry[]? Lowest)[] Answers)> ReadAsync(IDatabase database, ScannedKey[] batch)
    {
        var now = ServerClock.NowAsync(database);
        var answers = await Task.WhenAll(batch.Select(async key =>
        {
            var life = database.ExecuteAsync("PTTL", key.Name);
            var lowest = key.Parsed.Kind == StateKind.SessionIndex
                ? PacedBatches.UnlessForeignAsync(database.SortedSetRangeByRankWithScoresAsync(key.Name, 0, 0))
                : Task.FromResult<SortedSetEntry[]?>([]);
            return ((long)await life, await lowest);
        }));
        return (await now, answers);
    }

    private void Take(ScannedKey key, long life, SortedSetEntry[]? lowest, long now)
    {
        if (lowest is null)
        {
            Foreign++;
            return;
        }

        if (lowest.Length > 0 && lowest[0].Score <= now)
        {
            ExpiredIndexes.Add(key.Parsed.User);
        }

        if (life == NoTtl)
        {
            WithoutTtl.Add(key);
        }
    }
}
