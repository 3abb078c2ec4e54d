using System.Buffers.Binary;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.ForeignLayouts;

/// <summary>
/// What the last pass over a store saw, and since when: kept in Redis, because the next pass may be another replica's. One value of 24 bytes a suspect, a
/// fingerprint and a time; no id. A pass that was interrupted changes nothing of it.
/// </summary>
internal sealed class Sightings(RedisConnection connection, string key, JobReport report)
{
    private const int FingerprintBytes = 16;
    private const int EntryBytes = FingerprintBytes + sizeof(long);

    // A job's interval may be 30 days; what was seen must outlast it.
    private static readonly TimeSpan Life = JobSchedule.LongestInterval + TimeSpan.FromDays(1);

    private readonly Dictionary<UInt128, long> before = [];
    private readonly Dictionary<UInt128, long> seen = [];

    /// <summary>Reads what the last pass saw.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        byte[]? bytes = await connection.CallAsync(database => database.StringGetAsync(key), cancellationToken, KeyspaceScan.DeadlineOf(connection));
        for (var at = 0; at + EntryBytes <= (bytes?.Length ?? 0); at += EntryBytes)
        {
            before[BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan(at))] = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + FingerprintBytes));
        }
    }

    /// <summary>Notes that this pass sees it too.</summary>
    /// <returns>When the first of the passes in a row that saw it did so, ms since 1970.</returns>
    public long See(UInt128 fingerprint, long now) => seen[fingerprint] = before.GetValueOrDefault(fingerprint, now);

    /// <summary>Mended: a later pass that sees it sees it for the first time.</summary>
    public void Forget(UInt128 fingerprint) => seen.Remove(fingerprint);

    /// <summary>Keeps what this pass saw. A full Redis refuses it, and then the next pass mends what the last one that was kept saw.</summary>
    public async Task SaveAsync(CancellationToken cancellationToken)
    {
        var bytes = new byte[seen.Count * EntryBytes];
        var at = 0;
        foreach (var (fingerprint, since) in seen)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(at), fingerprint);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + FingerprintBytes), since);
            at += EntryBytes;
        }

        try
        {
            await connection.CallAsync(
                async database => bytes.Length == 0 ? await database.KeyDeleteAsync(key) : await database.StringSetAsync(key, bytes, Life),
                cancellationToken,
                KeyspaceScan.DeadlineOf(connection));
        }
        catch (StorageUnavailableException exception) when (exception.Reason == UnavailableReason.OutOfMemory)
        {
            report.Warn("Redis is full: what this pass saw of other programs' stores could not be kept, and nothing new of it is mended by the next one.");
        }
    }
}
