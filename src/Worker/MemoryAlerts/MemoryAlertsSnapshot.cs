using System.Text.Json.Serialization;

namespace Maintenance.Worker.MemoryAlerts;

/// <summary>What one run found, and what the next one needs.</summary>
public sealed record MemoryAlertsSnapshot
{
    /// <summary>Each node.</summary>
    public required IReadOnlyList<NodeMemory> Nodes { get; init; }
}

/// <summary>Where the limit comes from.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LimitSource>))]
public enum LimitSource
{
    /// <summary>The worker's <c>LimitBytes</c>.</summary>
    [JsonStringEnumMemberName("configured")]
    Configured,

    /// <summary>The server's <c>maxmemory</c>.</summary>
    [JsonStringEnumMemberName("maxmemory")]
    MaxMemory,

    /// <summary>The memory of the server's machine.</summary>
    [JsonStringEnumMemberName("system_memory")]
    SystemMemory,
}

/// <summary>Memory of one node. Null is "not reported by this server".</summary>
public sealed record NodeMemory
{
    /// <summary><c>host:port</c>.</summary>
    public required string Node { get; init; }

    /// <summary>Changes at each start of the server.</summary>
    public string? RunId { get; init; }

    /// <summary><c>used_memory</c>.</summary>
    public long? UsedBytes { get; init; }

    /// <summary>What it is compared with; null if there is none.</summary>
    public long? LimitBytes { get; init; }

    /// <summary>Where the limit comes from.</summary>
    public LimitSource? LimitSource { get; init; }

    /// <summary>Used memory as a share of the limit.</summary>
    [JsonIgnore]
    public double? Ratio => LimitBytes is > 0 ? (double?)UsedBytes / LimitBytes : null;

    /// <summary>Whether the warning fires; null while it is not known.</summary>
    public bool? Warning { get; init; }

    /// <summary>Whether the critical alert fires; null while it is not known.</summary>
    public bool? Critical { get; init; }

    /// <summary>Growth by the recent runs; null with too few, or when memory does not grow.</summary>
    public double? GrowthBytesPerSecond { get; init; }

    /// <summary>When the limit is reached if it goes on like this; null when it does not grow.</summary>
    public DateTimeOffset? FullAt { get; init; }

    /// <summary><c>mem_fragmentation_ratio</c>.</summary>
    public double? FragmentationRatio { get; init; }

    /// <summary><c>evicted_keys</c>.</summary>
    public long? EvictedKeys { get; init; }

    /// <summary>Keys evicted since the last run; null if there was none or the server has restarted.</summary>
    public long? EvictedSinceLast { get; init; }

    /// <summary>Estimated bytes by kind of key, of <see cref="SampledKeys"/> keys drawn at random; null if the server cannot tell.</summary>
    public IReadOnlyDictionary<string, long>? BytesByKind { get; init; }

    /// <summary>Keys that were drawn.</summary>
    public int SampledKeys { get; init; }

    /// <summary>Used memory of the recent runs, oldest first.</summary>
    public IReadOnlyList<MemorySample> Samples { get; init; } = [];
}

/// <summary>Used memory at a time.</summary>
/// <param name="At">When, by the clock of the replica that ran.</param>
/// <param name="Bytes"><c>used_memory</c>.</param>
public readonly record struct MemorySample(DateTimeOffset At, long Bytes);
