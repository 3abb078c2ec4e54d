using System.Diagnostics.Metrics;
using Maintenance.Worker.Lease;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisHealth;

/// <summary>
/// The <c>maintenance_redis_*</c> metrics of the probe. They come from results, so that every replica exports the same and a scrape touches no Redis;
/// but each duration is recorded once, by the replica that probed, so that sums over replicas are right.
/// </summary>
public sealed class RedisHealthMetrics : IJobResultObserver
{
    private readonly LatestSnapshot<RedisHealthSnapshot> latest;
    private readonly ReplicaName replica;
    private readonly Histogram<double> duration;

    /// <summary>Creates the instruments.</summary>
    public RedisHealthMetrics(IMeterFactory meterFactory, LatestSnapshot<RedisHealthSnapshot> latest, ReplicaName replica)
    {
        this.latest = latest;
        this.replica = replica;
        var meter = meterFactory.Create(WorkerMeter.Name);
        duration = meter.CreateHistogram(
            "maintenance.redis.probe.duration",
            "s",
            "Time that a step of the probe took.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] });
        Gauge(meter, "up", null, "Whether the node answered the last probe.", node => node.Up ? 1 : 0);
        Gauge(meter, "status", null, "How the node is: 0 healthy, 1 degraded, 2 unhealthy.", node => (double)node.Status);
        Gauge(meter, "last_probe.timestamp", "s", "When the node was last probed.", node => node.At.ToUnixTimeMilliseconds() / 1000.0);
        Gauge(meter, "memory.used", "By", "used_memory.", node => node.Memory?.UsedBytes);
        // 0 is "no limit", and a ratio against it would be endless.
        Gauge(meter, "memory.max", "By", "maxmemory; absent without a limit.", node => node.Memory?.MaxBytes is > 0 and var bytes ? bytes : null);
        Gauge(meter, "memory.fragmentation", "1", "mem_fragmentation_ratio.", node => node.Memory?.FragmentationRatio);
        Gauge(meter, "eviction_policy_safe", null, "Whether maxmemory-policy lets no key be dropped: 1 for noeviction.", node => EvictionPolicySafe(node.Memory?.Policy));
        Gauge(meter, "connected_clients", null, "Connected clients.", node => node.ConnectedClients);
        Gauge(meter, "persistence_ok", null, "Whether the last snapshot and the last write to the append-only file succeeded.", node => node.Persistence?.Ok is { } ok ? (ok ? 1 : 0) : null);
        Gauge(meter, "connected_replicas", null, "Replicas that are connected to the primary.", node => node.Replicas?.Count);
        meter.CreateObservableGauge("maintenance.redis.replication_lag", Lags, "By", "Bytes that a replica is behind, as its primary sees it; node is the replica.");
        Counter(meter, "evicted_keys", "Keys that Redis dropped because it was full.", counters => counters.EvictedKeys);
        Counter(meter, "expired_keys", "Keys whose time was over.", counters => counters.ExpiredKeys);
        Counter(meter, "keyspace_hits", "Reads that found their key.", counters => counters.KeyspaceHits);
        Counter(meter, "keyspace_misses", "Reads that found no key.", counters => counters.KeyspaceMisses);
    }

    /// <inheritdoc/>
    public string Job => JobNames.RedisHealth;

    private IReadOnlyList<NodeHealth> Nodes => latest.Value?.Nodes ?? [];

    /// <inheritdoc/>
    public void Observe(JobResult result)
    {
        var nodes = latest.Take(result)?.Nodes ?? [];
        if (result.Replica != replica.Value)
        {
            return;
        }

        foreach (var node in nodes)
        {
            Record(node, "connect", node.ConnectSeconds);
            Record(node, "write", node.Canary?.WriteSeconds);
            Record(node, "read", node.Canary?.ReadSeconds);
            foreach (var seconds in node.Ping?.Seconds ?? [])
            {
                Record(node, "ping", seconds);
            }
        }
    }

    private static double? EvictionPolicySafe(string? policy) => policy switch
    {
        null => null,
        "noeviction" => 1,
        _ => 0,
    };

    private void Record(NodeHealth node, string operation, double? seconds)
    {
        if (seconds is { } value)
        {
            duration.Record(value, new("node", node.Node), new("operation", operation));
        }
    }

    private void Gauge(Meter meter, string name, string? unit, string description, Func<NodeHealth, double?> read) =>
        meter.CreateObservableGauge(
            $"maintenance.redis.{name}",
            () => Nodes.SelectMany(node => Series(node.Node, read(node))),
            unit,
            description);

    private void Counter(Meter meter, string name, string description, Func<CounterFigures, long?> read) =>
        meter.CreateObservableCounter(
            $"maintenance.redis.{name}",
            () => Nodes.SelectMany(node => Series(node.Node, node.Counters is { } counters ? read(counters) : null)),
            unit: null,
            description);

    private IEnumerable<Measurement<double>> Lags() =>
        Nodes.SelectMany(node => node.Replicas ?? []).SelectMany(replica => Series(replica.Node, replica.LagBytes));

    private static IEnumerable<Measurement<double>> Series(string node, double? value) =>
        value is { } number ? [new Measurement<double>(number, new KeyValuePair<string, object?>("node", node))] : [];
}
