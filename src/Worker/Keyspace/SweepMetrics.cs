using System.Diagnostics.Metrics;
using Maintenance.Storage.Tokens;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Keyspace;

/// <summary>Counters of the jobs that walk over the keyspace, as this replica did the work.</summary>
public sealed class SweepMetrics
{
    /// <summary>Sessions, and keys of no kind of its own, as the label <c>keyspace</c>.</summary>
    public const string Native = "native";

    /// <summary>All keyspaces that Storage writes: sessions, and each kind of token.</summary>
    internal static readonly string[] Keyspaces = [Native, .. TokenKind.All.Select(kind => kind.Keyspace)];

    /// <summary>Why a key was removed: its time was over and it had no TTL, it had none and the policy says so, or its generation was not the user's.</summary>
    internal static readonly string[] RemovalReasons = ["expired", "policy", "revoked"];

    /// <summary>What was mended in an index: drift, a member that had expired by itself, the index's own TTL.</summary>
    internal static readonly string[] RepairKinds = ["dangling", "missing", "wrong_expiry", "revoked", "expired", "index_life"];

    /// <summary>What can be mended in the index of another program's store.</summary>
    internal static readonly string[] ForeignRepairKinds = ["dangling", "missing", "wrong_expiry", "expired"];

    private readonly Counter<long> scanned;
    private readonly Counter<long> removed;
    private readonly Counter<long> ttlRepaired;
    private readonly Counter<long> repairs;
    private readonly Counter<long> archiveRows;

    /// <summary>Creates the instruments.</summary>
    public SweepMetrics(IMeterFactory meterFactory)
    {
        var meter = meterFactory.Create(WorkerMeter.Name);
        scanned = meter.CreateCounter<long>("maintenance.keys.scanned", description: "Keys that walks over the keyspace have looked at.");
        removed = meter.CreateCounter<long>("maintenance.keys.removed", description: "Keys that jobs removed, by reason.");
        ttlRepaired = meter.CreateCounter<long>("maintenance.keys.ttl_repaired", description: "Keys without a TTL that were given one.");
        repairs = meter.CreateCounter<long>("maintenance.index.repairs", description: "Repairs of indexes, by keyspace and kind.");
        archiveRows = meter.CreateCounter<long>("maintenance.archive.rows_deleted", description: "Rows of the archive deleted because their time was over.");
    }

    private static KeyValuePair<string, object?> Keyspace { get; } = Tag("keyspace", Native);

    /// <summary>Makes every series exist with zero.</summary>
    internal void Prime()
    {
        scanned.Add(0, Keyspace);
        ttlRepaired.Add(0, Keyspace);
        archiveRows.Add(0);
        foreach (var keyspace in Keyspaces)
        {
            foreach (var reason in RemovalReasons)
            {
                removed.Add(0, Tag("keyspace", keyspace), Tag("reason", reason));
            }

            foreach (var kind in RepairKinds)
            {
                repairs.Add(0, Tag("keyspace", keyspace), Tag("kind", kind));
            }
        }
    }

    /// <summary>The same of a store that another program writes.</summary>
    internal void PrimeForeign(string keyspace)
    {
        Scanned(0, keyspace);
        foreach (var kind in ForeignRepairKinds)
        {
            repairs.Add(0, Tag("keyspace", keyspace), Tag("kind", kind));
        }
    }

    internal void Scanned(long keys, string keyspace = Native) => scanned.Add(keys, Tag("keyspace", keyspace));

    internal void Removed(string reason, string keyspace = Native) => removed.Add(1, Tag("keyspace", keyspace), Tag("reason", reason));

    internal void ArchiveRowsDeleted(int rows) => archiveRows.Add(rows);

    internal void TtlRepaired() => ttlRepaired.Add(1, Keyspace);

    internal void IndexRepaired(string kind, string keyspace = Native, long by = 1) => repairs.Add(by, Tag("keyspace", keyspace), Tag("kind", kind));

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
