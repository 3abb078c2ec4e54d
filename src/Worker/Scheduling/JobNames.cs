namespace Maintenance.Worker.Scheduling;

/// <summary>The jobs' names: metric label <c>task</c>, key part, CLI argument.</summary>
public static class JobNames
{
    /// <summary>Drops expired members and gives keys their TTL.</summary>
    public const string SessionCleanup = "session-cleanup";

    /// <summary>Makes sessions and indexes agree, both ways.</summary>
    public const string IndexReconciliation = "index-reconciliation";

    /// <summary>Probes every node.</summary>
    public const string RedisHealth = "redis-health";

    /// <summary>Watches memory.</summary>
    public const string MemoryAlerts = "memory-alerts";

    /// <summary>Counts keys, bytes and lives by kind.</summary>
    public const string KeyspaceStats = "keyspace-stats";

    /// <summary>All, in the order in which <c>demo</c> runs them.</summary>
    public static IReadOnlyList<string> All { get; } = [RedisHealth, SessionCleanup, IndexReconciliation, MemoryAlerts, KeyspaceStats];

    /// <summary>The configuration section's part: <c>session-cleanup</c> is <c>SessionCleanup</c>.</summary>
    public static string Section(string name) =>
        string.Concat(name.Split('-').Select(part => char.ToUpperInvariant(part[0]) + part[1..]));
}
