namespace Maintenance.Worker.RedisHealth;

/// <summary>The codes of reasons; stable, because alerts and scripts refer to them.</summary>
public static class HealthReasons
{
    /// <summary>No connection.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>Connected, and no answer in time.</summary>
    public const string NoAnswer = "no_answer";

    /// <summary>Password or user refused.</summary>
    public const string AuthenticationRefused = "authentication_refused";

    /// <summary>It reads its data from disk.</summary>
    public const string Loading = "loading";

    /// <summary>It refuses writes because it is a replica.</summary>
    public const string ReadOnly = "read_only";

    /// <summary>It refuses writes because it is full.</summary>
    public const string OutOfMemory = "out_of_memory";

    /// <summary>It refuses writes because it cannot persist them.</summary>
    public const string WritesStopped = "writes_stopped";

    /// <summary>The cluster does not serve.</summary>
    public const string ClusterDown = "cluster_down";

    /// <summary>Another error that says that it does not serve.</summary>
    public const string NotServing = "not_serving";

    /// <summary>What was read is not what was written.</summary>
    public const string CanaryLost = "canary_lost";

    /// <summary>The worker may not write its canary.</summary>
    public const string CanaryRefused = "canary_refused";

    /// <summary>Pings are slow.</summary>
    public const string SlowPing = "slow_ping";

    /// <summary>A command blocked the server.</summary>
    public const string SlowCommands = "slow_commands";

    /// <summary>The policy lets Redis drop auth state.</summary>
    public const string UnsafePolicy = "unsafe_eviction_policy";

    /// <summary>Keys were evicted.</summary>
    public const string Evictions = "evictions";

    /// <summary>Connections were refused.</summary>
    public const string RejectedConnections = "rejected_connections";

    /// <summary>Memory is nearly full.</summary>
    public const string MemoryHigh = "memory_high";

    /// <summary>Writing to disk failed.</summary>
    public const string PersistenceFailing = "persistence_failing";

    /// <summary>A replica has lost its primary.</summary>
    public const string ReplicaLinkDown = "replica_link_down";

    /// <summary>Fewer replicas are connected than there should be.</summary>
    public const string ReplicasMissing = "replicas_missing";

    /// <summary>A replica is far behind.</summary>
    public const string ReplicaLag = "replica_lag";
}
