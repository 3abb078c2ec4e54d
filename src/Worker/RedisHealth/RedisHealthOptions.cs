using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisHealth;

/// <summary>What a probe does and from when on a figure is a reason. Bound from <c>Jobs:RedisHealth</c>.</summary>
public sealed class RedisHealthOptions : JobOptions
{
    /// <summary>Pings a probe. Default 20.</summary>
    public int Pings { get; set; } = 20;

    /// <summary>Longest time of the probe of one node, after which it counts as not answering. Default 10 s.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest wait for one answer. Default 1 s.</summary>
    public TimeSpan CallDeadline { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait for a connection. Default 3 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Degraded when the 99th percentile of the pings is above. Default 100 ms.</summary>
    public TimeSpan PingP99Degraded { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Degraded when a replica is more bytes behind its primary. Default 16 MiB, a sixteenth of a replica's default output buffer.</summary>
    public long ReplicationLagDegradedBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>Whether the replicas that the primary names are probed too, and their memory watched. Default true; false where the worker cannot reach them.</summary>
    public bool Replicas { get; set; } = true;

    /// <summary>Degraded when fewer replicas are connected to a primary. Default 0: however many there are.</summary>
    public int MinReplicas { get; set; }

    /// <summary>Degraded when used memory is above this share of <c>maxmemory</c>. Default 0.95; <c>memory-alerts</c> warns earlier.</summary>
    public double MemoryDegraded { get; set; } = 0.95;

    /// <summary>Degraded when a command since the last probe took longer. Default 100 ms; what the server logs is its <c>slowlog-log-slower-than</c>.</summary>
    public TimeSpan SlowCommandDegraded { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Degraded when so many keys were evicted since the last probe. Default 1: every key of an auth store is somebody's session.</summary>
    public long EvictionsDegraded { get; set; } = 1;
}
