using System.Buffers.Binary;
using Maintenance.Storage.Histories.Running;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using StackExchange.Redis;

namespace Maintenance.Storage.Histories.Truth;

/// <summary>All keys of a history, read from Redis without the store while nobody changes them.</summary>
internal sealed class Snapshot
{
    private Snapshot(long now) => Now = now;

    /// <summary>Redis's clock, milliseconds since 1970.</summary>
    public long Now { get; }

    /// <summary>Redis's clock after the last key was read. What ran out by then may have been there for one of the reads and gone for another.</summary>
    public long Read { get; private set; }

    /// <summary>Life of each key in ms from <see cref="Now"/> on, however much later it was read; -1 for none.</summary>
    public Dictionary<string, long> Lives { get; } = new(StringComparer.Ordinal);

    /// <summary>Generation of each session record that is no alias.</summary>
    public Dictionary<(UserReference User, SessionId Id), long> Records { get; } = [];

    public Dictionary<UserReference, long> Generations { get; } = [];

    public Dictionary<(UserReference User, SessionId Id), long> Members { get; } = [];

    public IEnumerable<(UserReference User, SessionId Id)> Live =>
        Records.Where(record => Generations.TryGetValue(record.Key.User, out var generation) && generation == record.Value).Select(record => record.Key);

    public static async Task<Snapshot> TakeAsync(World world)
    {
        var snapshot = new Snapshot(await MillisecondsAsync(world));
        var names = ClientCompat.Items(await world.CommandAsync("KEYS", world.Keys.Prefix + "*")).Select(name => (string)name!);
        foreach (var name in names)
        {
            var ends = (long)await world.CommandAsync("PEXPIRETIME", name);
            snapshot.Lives[name] = ends < 0 ? ends : ends - snapshot.Now;
            if (!world.Keys.TryParse(name, out var key))
            {
                continue;
            }

            switch (key.Kind)
            {
                case StateKind.Session:
                    var value = (byte[]?)await world.CommandAsync("GET", name);
                    if (value is not null && SessionRecordFormat.Classify(value, SessionRecordFormat.Newest, out _) == RecordKind.Session)
                    {
                        snapshot.Records[(key.User, key.Id)] = BinaryPrimitives.ReadInt64BigEndian([0, .. value.AsSpan(20, 7)]);
                    }

                    break;
                case StateKind.Generation:
                    snapshot.Generations[key.User] = (long)await world.CommandAsync("GET", name);
                    break;
                case StateKind.SessionIndex:
                    await snapshot.ReadMembersAsync(world, key.User);
                    break;
            }
        }

        snapshot.Read = await MillisecondsAsync(world);
        return snapshot;
    }

    private static async Task<long> MillisecondsAsync(World world)
    {
        var time = ClientCompat.Items(await world.CommandAsync("TIME"));
        return ((long)time[0] * 1000) + ((long)time[1] / 1000);
    }

    private async Task ReadMembersAsync(World world, UserReference user)
    {
        var entries = await world.Connection.CallAsync(
            database => database.SortedSetRangeByRankWithScoresAsync(world.Keys.SessionIndex(user)), CancellationToken.None);
        foreach (var entry in entries)
        {
            Members[(user, SessionId.Parse((string)entry.Element!))] = (long)entry.Score;
        }
    }
}
