using Maintenance.Storage.Redis;

namespace Maintenance.Worker.RedisHealth;

/// <summary>What a node's figures mean. Pure: the same figures always give the same status. A figure that is not reported is no reason.</summary>
public static class HealthRules
{
    /// <summary>Fills status, reasons and notes in.</summary>
    public static NodeHealth Judge(NodeHealth figures, bool mayBeReplica, RedisHealthOptions options)
    {
        List<HealthReason> reasons = [.. Serving(figures, mayBeReplica), .. Speed(figures, options), .. Memory(figures, options), .. Durability(figures, options)];
        return figures with
        {
            Reasons = reasons,
            Notes = [.. Notes(figures)],
            Status = reasons.Count == 0 ? HealthStatus.Healthy : reasons.Max(reason => reason.Status),
        };
    }

    private static IEnumerable<HealthReason> Serving(NodeHealth node, bool mayBeReplica)
    {
        var failure = node.Failure ?? node.Canary?.Refused;
        if (node.Loading == true && failure?.Code != HealthReasons.Loading)
        {
            yield return Unhealthy(HealthReasons.Loading, "It reads its data from disk.", "INFO persistence: loading_eta_seconds");
        }

        if (failure is not null && !(failure.Code == HealthReasons.ReadOnly && mayBeReplica))
        {
            yield return failure.Code == HealthReasons.CanaryRefused
                ? Degraded(failure.Code, $"The worker may not write its canary: {failure.Message}", "ACL: ~maintenance:* +@read +@write for the worker's user")
                : Unhealthy(failure.Code, failure.Message, See(failure.Code));
        }

        if (node.Role == "slave" && !mayBeReplica && failure?.Code != HealthReasons.ReadOnly)
        {
            yield return Unhealthy(HealthReasons.ReadOnly, "The configured server is a replica: what is written there is lost or refused.", See(HealthReasons.ReadOnly));
        }

        if (node is { ClusterEnabled: true, ClusterState: not (null or "ok") } && failure?.Code != HealthReasons.ClusterDown)
        {
            yield return Unhealthy(
                HealthReasons.ClusterDown,
                node.ClusterUnservedSlots is > 0 and var slots
                    ? $"{slots} of {SlotRange.Slots} slots of the cluster are served by no working node."
                    : $"The cluster's state is {node.ClusterState}.",
                See(HealthReasons.ClusterDown));
        }

        if (node.RejectedSinceLast > 0)
        {
            yield return Degraded(HealthReasons.RejectedConnections, $"{node.RejectedSinceLast} connections were refused since the last probe.", "redis.conf: maxclients");
        }
    }

    private static IEnumerable<HealthReason> Speed(NodeHealth node, RedisHealthOptions options)
    {
        if (node.Ping is { } ping && ping.P99 > options.PingP99Degraded.TotalSeconds)
        {
            yield return Degraded(
                HealthReasons.SlowPing,
                $"99 % of the pings took up to {ping.P99 * 1000:0.#} ms, the median {ping.P50 * 1000:0.#} ms.",
                "redis-cli --intrinsic-latency, SLOWLOG GET; threshold Jobs:RedisHealth:PingP99Degraded");
        }

        if (node.SlowLog is { SlowestSeconds: { } slowest } log && slowest > options.SlowCommandDegraded.TotalSeconds)
        {
            yield return Degraded(
                HealthReasons.SlowCommands,
                $"{log.NewEntries} slow commands since the last probe; a {log.SlowestCommand} blocked the server for {slowest * 1000:0} ms.",
                "SLOWLOG GET; threshold Jobs:RedisHealth:SlowCommandDegraded");
        }
    }

    private static IEnumerable<HealthReason> Memory(NodeHealth node, RedisHealthOptions options)
    {
        if (node.Memory?.Policy is { } policy && policy.StartsWith("allkeys-", StringComparison.Ordinal))
        {
            yield return Degraded(
                HealthReasons.UnsafePolicy,
                $"maxmemory-policy is {policy}: a full Redis silently drops any key, also denylist entries and session indexes.",
                "redis.conf: maxmemory-policy noeviction");
        }
        else if (node.Memory?.Policy is { } volatilePolicy && volatilePolicy.StartsWith("volatile-", StringComparison.Ordinal))
        {
            yield return Degraded(
                HealthReasons.UnsafePolicy,
                $"maxmemory-policy is {volatilePolicy}: all auth state has a TTL, so a full Redis silently logs users out and drops denylist entries.",
                "redis.conf: maxmemory-policy noeviction");
        }

        if (node.EvictedSinceLast is { } evicted && evicted > 0 && evicted >= options.EvictionsDegraded)
        {
            yield return Degraded(HealthReasons.Evictions, $"{evicted} keys were evicted since the last probe.", "redis.conf: maxmemory, maxmemory-policy");
        }

        if (node.Memory is { UsedBytes: { } used, MaxBytes: { } max and > 0 } && used > max * options.MemoryDegraded)
        {
            yield return Degraded(HealthReasons.MemoryHigh, $"{used} of {max} bytes are used ({100.0 * used / max:0.#} %).", "redis.conf: maxmemory");
        }
    }

    private static IEnumerable<HealthReason> Durability(NodeHealth node, RedisHealthOptions options)
    {
        if (node.Persistence?.Ok == false)
        {
            var what = node.Persistence.LastSnapshotOk == false ? "the last snapshot to disk failed" : "the last write to the append-only file failed";
            yield return Degraded(HealthReasons.PersistenceFailing, $"Persistence: {what}.", "Redis's log; free space and rights of its folder (redis.conf: dir)");
        }

        if (node.PrimaryLinkUp == false)
        {
            yield return Degraded(HealthReasons.ReplicaLinkDown, "This replica is not connected to its primary.", "INFO replication: master_link_status");
        }

        if (node.Replicas is { } connected && connected.Count < options.MinReplicas)
        {
            yield return Degraded(
                HealthReasons.ReplicasMissing,
                $"{connected.Count} replicas are connected, and there should be {options.MinReplicas}: a failover finds fewer to go to, or none.",
                "INFO replication on the primary; threshold Jobs:RedisHealth:MinReplicas");
        }

        foreach (var replica in node.Replicas ?? [])
        {
            if (replica.LagBytes > options.ReplicationLagDegradedBytes)
            {
                yield return Degraded(
                    HealthReasons.ReplicaLag,
                    $"Replica {replica.Node} is {replica.LagBytes} bytes behind: a failover now would lose them.",
                    "INFO replication; threshold Jobs:RedisHealth:ReplicationLagDegradedBytes");
            }
        }
    }

    private static IEnumerable<string> Notes(NodeHealth node)
    {
        if (node.Memory?.MaxBytes == 0)
        {
            yield return "maxmemory is 0, no limit: Redis grows until the system ends it (redis.conf: maxmemory).";
        }

        if (node.Persistence is { AppendOnly: false })
        {
            yield return "No append-only file: a crash loses what was written since the last snapshot, also revocations (redis.conf: appendonly).";
        }
    }

    private static string See(string code) => code switch
    {
        HealthReasons.Unreachable => "Storage:Redis:Url; is Redis running and the network open; the client's handshake needs ECHO and TIME (ACL LIST)",
        HealthReasons.NoAnswer => "redis-cli PING on its host; a stopped process, a blocked event loop (SLOWLOG GET) or a lost network",
        HealthReasons.AuthenticationRefused => "Storage:Redis:Password; redis.conf: requirepass, ACL LIST",
        HealthReasons.Loading => "INFO persistence: loading_eta_seconds",
        HealthReasons.ReadOnly => "Storage:Redis:Url must name the primary; INFO replication: master_host",
        HealthReasons.OutOfMemory => "redis.conf: maxmemory; MEMORY STATS, and memory-alerts for what grows",
        HealthReasons.WritesStopped => "Redis's log, its disk; redis.conf: stop-writes-on-bgsave-error, min-replicas-to-write",
        HealthReasons.ClusterDown => "CLUSTER INFO, CLUSTER NODES",
        _ => "Redis's log",
    };

    private static HealthReason Degraded(string code, string text, string see) => new(code, HealthStatus.Degraded, text, see);

    private static HealthReason Unhealthy(string code, string text, string see) => new(code, HealthStatus.Unhealthy, text, see);
}
