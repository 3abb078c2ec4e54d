namespace Maintenance.Worker.Alerting;

/// <summary>The runbooks that alerts lead to: names of files in docs/runbooks, without their ending. Rules of Prometheus lead to the same ones.</summary>
public static class AlertRunbooks
{
    /// <summary>A job failed, or its brake stopped it.</summary>
    public const string JobFailing = "job-failing";

    /// <summary>Sessions and indexes are out of step.</summary>
    public const string IndexDrift = "index-drift";

    /// <summary>Redis does not answer.</summary>
    public const string RedisDown = "redis-down";

    /// <summary>Redis answers but does not serve.</summary>
    public const string RedisUnhealthy = "redis-unhealthy";

    /// <summary>Redis is slow.</summary>
    public const string ProbeSlow = "probe-slow";

    /// <summary>Memory is nearly full.</summary>
    public const string MemoryHigh = "memory-high";

    /// <summary>Keys are evicted.</summary>
    public const string Evictions = "evictions";

    /// <summary>The policy lets Redis drop auth state.</summary>
    public const string UnsafePolicy = "unsafe-policy";

    /// <summary>Writing to disk fails.</summary>
    public const string PersistenceFailing = "persistence-failing";

    /// <summary>A replica is behind, or has lost its primary.</summary>
    public const string ReplicationLag = "replication-lag";

    /// <summary>Fewer replicas are connected than there should be.</summary>
    public const string ReplicasFewer = "replicas-fewer";
}
