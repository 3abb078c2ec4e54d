using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Storage.Tokens;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.SessionCleanup;

/// <summary>What cheap, pipelined reads say about a page of keys.</summary>
internal sealed class CleanupCandidates(RedisConnection connection, SessionRepair repair, JobContext context)
{
    private const long NoTtl = -1;

    /// <summary>Indexes that have a member whose time is over.</summary>
    public List<ScannedKey> ExpiredIndexes { get; } = [];

    /// <summary>Sessions with an address or user agent whose time is over.</summary>
    public List<ScannedKey> OldDetails { get; } = [];

    /// <summary>Keys without a TTL.</summary>
    public List<ScannedKey> WithoutTtl { get; } = [];

    /// <summary>Index keys that are not sorted sets.</summary>
    public int Foreign { get; private set; }

    /// <summary>Reads the life of each key, the lowest score of each index, and the start of each session if its details have a time.</summary>
    public async Task ReadAsync(IEnumerable<ScannedKey> keys, CancellationToken cancellationToken)
    {
        foreach (var batch in keys.Chunk(context.Budget.BatchSize))
        {
            var commands = 1 + batch.Length + batch.Count(key => IsIndex(key) || LooksInside(key));
            var (now, answers) = await context.Budget.SpendAsync(
                "candidates", commands, () => connection.CallAsync(database => ReadAsync(database, batch), cancellationToken, KeyspaceScan.DeadlineOf(connection)), cancellationToken);
            for (var i = 0; i < batch.Length; i++)
            {
                Take(batch[i], answers[i], now);
            }
        }
    }

    private async Task<(long Now, Answer[] Answers)> ReadAsync(IDatabase database, ScannedKey[] batch)
    {
        var now = ServerClock.NowAsync(database);
        var answers = await Task.WhenAll(batch.Select(async key =>
        {
            var life = database.ExecuteAsync("PTTL", key.Name);
            var lowest = IsIndex(key)
                ? PacedBatches.UnlessForeignAsync(database.SortedSetRangeByRankWithScoresAsync(key.Name, 0, 0))
                : Task.FromResult<SortedSetEntry[]?>([]);
            var start = LooksInside(key)
                ? PacedBatches.UnlessForeignAsync(BytesAsync(database.StringGetRangeAsync(key.Name, 0, SessionRepair.DetailsPrefixBytes - 1)))
                : Task.FromResult<byte[]?>([]);
            return new Answer((long)await life, await lowest, await start);
        }));
        return (await now, answers);
    }

    private static bool IsIndex(ScannedKey key) => key.Parsed.Kind == StateKind.SessionIndex || TokenKind.OfIndex(key.Parsed.Kind) is not null;

    private bool LooksInside(ScannedKey key) => key.Parsed.Kind == StateKind.Session && repair.ClientDetailsLife is not null;

    private static async Task<byte[]> BytesAsync(Task<RedisValue> value) => (byte[]?)await value ?? [];

    private void Take(ScannedKey key, Answer answer, long now)
    {
        if (answer.Lowest is null)
        {
            Foreign++;
            return;
        }

        if (answer.Lowest.Length > 0 && answer.Lowest[0].Score <= now)
        {
            ExpiredIndexes.Add(key);
        }

        if (answer.Start is { Length: > 0 } start && repair.HoldsOldDetails(start, DateTimeOffset.FromUnixTimeMilliseconds(now)))
        {
            OldDetails.Add(key);
        }

        if (answer.Life == NoTtl)
        {
            WithoutTtl.Add(key);
        }
    }

    private sealed record Answer(long Life, SortedSetEntry[]? Lowest, byte[]? Start);
}
