using System.Buffers.Binary;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Sessions.Repair;
using StackExchange.Redis;

namespace Maintenance.Storage.Histories.Sweeping;

/// <summary>
/// The simplest sweep that finds suspects: every key, then every index, one call after the other. Between any two of its calls other clients may
/// change everything, which is what the repair scripts must stand.
/// </summary>
internal sealed class NaiveSweeper(RedisConnection connection, RedisKeys keys, SessionRepair repair) : ISweeper
{
    private const int PageSize = 100;

    public async Task CleanupAsync(CancellationToken cancellationToken)
    {
        foreach (var (name, key) in await ScanAsync(cancellationToken))
        {
            var life = await connection.CallAsync(database => database.ExecuteAsync("PTTL", (RedisKey)name), cancellationToken);
            if ((long)life == -1)
            {
                await repair.MendMissingTtlAsync(name, key, TimeSpan.FromDays(1), removeOtherKinds: false, dryRun: false, cancellationToken);
            }

            if (key.Kind == StateKind.SessionIndex)
            {
                await repair.DropExpiredMembersAsync(key.User, PageSize, dryRun: false, cancellationToken);
            }
        }
    }

    public async Task ReconcileAsync(CancellationToken cancellationToken)
    {
        var found = await ScanAsync(cancellationToken);
        foreach (var user in found.Select(item => item.Key).Where(key => key.Kind is StateKind.Session or StateKind.SessionIndex).Select(key => key.User).Distinct())
        {
            var live = found.Where(item => item.Key.Kind == StateKind.Session && item.Key.User == user).Select(item => item.Key.Id).ToHashSet();
            var members = (await connection.CallAsync(
                    database => database.SortedSetRangeByRankWithScoresAsync(keys.SessionIndex(user)), cancellationToken))
                .ToDictionary(entry => SessionId.Parse((string)entry.Element!), entry => (long)entry.Score);
            var suspects = members.Where(member => !live.Contains(member.Key)).Select(member => new SessionSuspect(member.Key, member.Value))
                .Concat(live.Where(id => !members.ContainsKey(id)).Select(id => new SessionSuspect(id, null)))
                .ToList();
            foreach (var id in live.Where(members.ContainsKey))
            {
                if (await LooksWrongAsync(user, id, members[id], cancellationToken))
                {
                    suspects.Add(new SessionSuspect(id, members[id]));
                }
            }

            if (suspects.Count > 0)
            {
                await repair.ReconcileAsync(user, suspects, dryRun: false, cancellationToken);
            }

            await repair.MendIndexLifeAsync(user, dryRun: false, cancellationToken);
        }
    }

    private async Task<bool> LooksWrongAsync(UserReference user, SessionId id, long score, CancellationToken cancellationToken)
    {
        RedisKey record = keys.Session(user, id);
        var (value, generation, life, time) = await connection.CallAsync(
            async database =>
            {
                var value = database.StringGetAsync(record);
                var generation = database.StringGetAsync(keys.Generation(user));
                var life = database.ExecuteAsync("PTTL", record);
                var time = database.ExecuteAsync("TIME");
                return ((byte[]?)await value, (string?)await generation, (long)await life, (RedisResult[])(await time)!);
            },
            cancellationToken);
        if (value is null || SessionRecordFormat.Classify(value, SessionRecordFormat.Newest, out _) != RecordKind.Session)
        {
            return value is not null;
        }

        var now = ((long)time[0] * 1000) + ((long)time[1] / 1000);
        var recorded = BinaryPrimitives.ReadInt64BigEndian([0, .. value.AsSpan(20, 7)]);
        return $"{recorded}" != generation || life < 0 || Math.Abs(now + life - score) > repair.Tolerance.TotalMilliseconds;
    }

    private async Task<List<(string Name, ParsedKey Key)>> ScanAsync(CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, ParsedKey>(StringComparer.Ordinal);
        var cursor = "0";
        do
        {
            var page = ClientCompat.Items(await connection.CallAsync(
                database => database.ExecuteAsync("SCAN", cursor, "COUNT", PageSize), cancellationToken));
            cursor = (string)page[0]!;
            foreach (var name in ((string[]?)page[1]) ?? [])
            {
                if (keys.TryParse(name, out var key))
                {
                    found[name] = key;
                }
            }
        }
        while (cursor != "0");
        // Redis gives them in another order each time; the same history must make the same calls.
        return [.. found.OrderBy(item => item.Key, StringComparer.Ordinal).Select(item => (item.Key, item.Value))];
    }
}
