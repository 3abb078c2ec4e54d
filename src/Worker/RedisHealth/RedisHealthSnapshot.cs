using System.Text.Json.Serialization;

namespace Maintenance.Worker.RedisHealth;

/// <summary>How a node, or the whole, is. The numbers are the metric's values and the exit codes of <c>check</c>.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HealthStatus>))]
public enum HealthStatus
{
    /// <summary>Everything in order.</summary>
    [JsonStringEnumMemberName("healthy")]
    Healthy = 0,

    /// <summary>It serves, and something should be looked at.</summary>
    [JsonStringEnumMemberName("degraded")]
    Degraded = 1,

    /// <summary>Logins or validations fail.</summary>
    [JsonStringEnumMemberName("unhealthy")]
    Unhealthy = 2,
}

/// <summary>The status as text.</summary>
public static class HealthStatusLabels
{
    /// <summary><c>healthy</c>, <c>degraded</c> or <c>unhealthy</c>, as in JSON.</summary>
    public static string Label(this HealthStatus status) => status.ToString().ToLowerInvariant();
}

/// <summary>Why a node is not healthy.</summary>
/// <param name="Code">Stable, snake case; see <see cref="HealthReasons"/>.</param>
/// <param name="Status">How bad it is by itself.</param>
/// <param name="Text">What was seen, with figures.</param>
/// <param name="See">The setting or command to look at.</param>
public sealed record HealthReason(string Code, HealthStatus Status, string Text, string See);

/// <summary>What one run of the probe found.</summary>
public sealed record RedisHealthSnapshot
{
    /// <summary>The worst of the nodes; of a cluster's nodes without slots (replicas) at most degraded.</summary>
    public required HealthStatus Status { get; init; }

    /// <summary>Each node.</summary>
    public required IReadOnlyList<NodeHealth> Nodes { get; init; }
}

/// <summary>Figures of one node. Null is "not reported by this server", or not reached because the probe ended before.</summary>
public sealed record NodeHealth
{
    /// <summary><c>host:port</c>.</summary>
    public required string Node { get; init; }

    /// <summary>When the probe ended, this replica's clock.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>Whether it answered.</summary>
    public bool Up { get; init; }

    /// <summary>The worst of the reasons.</summary>
    public HealthStatus Status { get; init; }

    /// <summary>Why it is not healthy.</summary>
    public IReadOnlyList<HealthReason> Reasons { get; init; } = [];

    /// <summary>What does not change the status and is worth knowing.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What the server refuses to tell.</summary>
    public IReadOnlyList<string> Unavailable { get; init; } = [];

    /// <summary>What kept it from answering; null if it answered.</summary>
    public ProbeFailure? Failure { get; init; }

    /// <summary>Time to a usable connection (TCP, TLS, authentication, handshake).</summary>
    public double? ConnectSeconds { get; init; }

    /// <summary>The pings.</summary>
    public PingFigures? Ping { get; init; }

    /// <summary>The canary: a key that is written, read and deleted.</summary>
    public CanaryFigures? Canary { get; init; }

    /// <summary>Changes at each start of the server, so that counters are not compared across one.</summary>
    public string? RunId { get; init; }

    /// <summary>The server's version.</summary>
    public string? Version { get; init; }

    /// <summary><c>master</c> or <c>slave</c>, as the server writes it.</summary>
    public string? Role { get; init; }

    /// <summary>Of a replica: whether it is connected to its primary.</summary>
    public bool? PrimaryLinkUp { get; init; }

    /// <summary>Of a primary: its replicas.</summary>
    public IReadOnlyList<ReplicaFigures>? Replicas { get; init; }

    /// <summary>Whether it is still reading its data from disk.</summary>
    public bool? Loading { get; init; }

    /// <summary>Persistence.</summary>
    public PersistenceFigures? Persistence { get; init; }

    /// <summary>Memory.</summary>
    public MemoryFigures? Memory { get; init; }

    /// <summary>Connected clients.</summary>
    public long? ConnectedClients { get; init; }

    /// <summary>Counters since the server's start.</summary>
    public CounterFigures? Counters { get; init; }

    /// <summary>Keys evicted since the last probe; null if there was none or the server has restarted.</summary>
    public long? EvictedSinceLast { get; init; }

    /// <summary>Connections refused since the last probe, because <c>maxclients</c> was reached.</summary>
    public long? RejectedSinceLast { get; init; }

    /// <summary>The slow log.</summary>
    public SlowLogFigures? SlowLog { get; init; }

    /// <summary>Whether it is a node of a cluster.</summary>
    public bool? ClusterEnabled { get; init; }

    /// <summary><c>ok</c> or <c>fail</c>; null without a cluster.</summary>
    public string? ClusterState { get; init; }

    /// <summary>Slots of the cluster that no working node serves; null without a cluster.</summary>
    public int? ClusterUnservedSlots { get; init; }
}

/// <summary>What kept a node from answering.</summary>
/// <param name="Code">One of <see cref="HealthReasons"/>.</param>
/// <param name="Message">The error, without credentials.</param>
public sealed record ProbeFailure(string Code, string Message);

/// <summary>Round trips of a command that costs what PING costs, in seconds. Percentiles by nearest rank.</summary>
public sealed record PingFigures
{
    /// <summary>Each one, in order.</summary>
    public required IReadOnlyList<double> Seconds { get; init; }

    /// <summary>Shortest.</summary>
    public double Min => Percentile(0);

    /// <summary>Median.</summary>
    public double P50 => Percentile(0.5);

    /// <summary>95th percentile.</summary>
    public double P95 => Percentile(0.95);

    /// <summary>99th percentile: of fewer than 100 pings the longest.</summary>
    public double P99 => Percentile(0.99);

    /// <summary>Longest.</summary>
    public double Max => Percentile(1);

    private double Percentile(double share)
    {
        var sorted = Seconds.Order().ToArray();
        return sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}

/// <summary>Times of the canary, in seconds; null for a step that did not succeed.</summary>
public sealed record CanaryFigures
{
    /// <summary>SET with a TTL.</summary>
    public double? WriteSeconds { get; init; }

    /// <summary>GET of the same value.</summary>
    public double? ReadSeconds { get; init; }

    /// <summary>Why it was refused; null if it was not.</summary>
    public ProbeFailure? Refused { get; init; }
}

/// <summary>A replica as its primary sees it.</summary>
public sealed record ReplicaFigures
{
    /// <summary><c>ip:port</c>.</summary>
    public required string Node { get; init; }

    /// <summary><c>online</c>, or a step of its first copy.</summary>
    public string? State { get; init; }

    /// <summary>Bytes of the stream that it has not acknowledged.</summary>
    public long? LagBytes { get; init; }
}

/// <summary>Persistence.</summary>
public sealed record PersistenceFigures
{
    /// <summary>Whether the last snapshot to disk succeeded.</summary>
    public bool? LastSnapshotOk { get; init; }

    /// <summary>Whether there is an append-only file.</summary>
    public bool? AppendOnly { get; init; }

    /// <summary>Whether the last write to it succeeded.</summary>
    public bool? LastAppendOk { get; init; }

    /// <summary>Nothing failed; null if nothing is reported.</summary>
    [JsonIgnore]
    public bool? Ok => LastSnapshotOk is null && LastAppendOk is null
        ? null
        : LastSnapshotOk != false && (AppendOnly == false || LastAppendOk != false);
}

/// <summary>Memory.</summary>
public sealed record MemoryFigures
{
    /// <summary><c>used_memory</c>.</summary>
    public long? UsedBytes { get; init; }

    /// <summary><c>maxmemory</c>; 0 is "no limit".</summary>
    public long? MaxBytes { get; init; }

    /// <summary><c>mem_fragmentation_ratio</c>.</summary>
    public double? FragmentationRatio { get; init; }

    /// <summary><c>maxmemory-policy</c>.</summary>
    public string? Policy { get; init; }
}

/// <summary>Counters since the server's start.</summary>
public sealed record CounterFigures
{
    /// <summary><c>evicted_keys</c>.</summary>
    public long? EvictedKeys { get; init; }

    /// <summary><c>expired_keys</c>.</summary>
    public long? ExpiredKeys { get; init; }

    /// <summary><c>rejected_connections</c>.</summary>
    public long? RejectedConnections { get; init; }

    /// <summary><c>keyspace_hits</c>.</summary>
    public long? KeyspaceHits { get; init; }

    /// <summary><c>keyspace_misses</c>.</summary>
    public long? KeyspaceMisses { get; init; }
}

/// <summary>What is new in the slow log. Only a command's name is kept: its arguments may hold a secret.</summary>
public sealed record SlowLogFigures
{
    /// <summary>Number of the newest entry; -1 for an empty log.</summary>
    public long LastId { get; init; }

    /// <summary>Entries since the last probe; null if there was none or the server has restarted.</summary>
    public long? NewEntries { get; init; }

    /// <summary>The slowest of the new entries that the server still holds.</summary>
    public double? SlowestSeconds { get; init; }

    /// <summary>Its command.</summary>
    public string? SlowestCommand { get; init; }
}
