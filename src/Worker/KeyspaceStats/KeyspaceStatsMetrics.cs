using System.Diagnostics.Metrics;
using Maintenance.Prometheus;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.KeyspaceStats;

/// <summary>The keyspace as gauges; absent before the first walk.</summary>
public sealed class KeyspaceStatsMetrics : IJobResultObserver
{
    private readonly LatestSnapshot<KeyspaceStatsSnapshot> latest;

    /// <summary>Creates the instruments.</summary>
    public KeyspaceStatsMetrics(IMeterFactory meterFactory, LatestSnapshot<KeyspaceStatsSnapshot> latest)
    {
        this.latest = latest;
        var meter = meterFactory.Create(WorkerMeter.Name);
        Gauge(meter, "maintenance.keyspace.keys", null, "Keys by kind.", figures => figures.Keys);
        Gauge(meter, "maintenance.keyspace.bytes", "By", "Bytes by kind, estimated from a sample.", figures => figures.Bytes);
        meter.CreateObservableGauge("maintenance.sessions.active", () => Total(snapshot => snapshot.SessionsActive), description: "Session records.");
        meter.CreateObservableGauge("maintenance.users.active", () => Total(snapshot => snapshot.UsersActive), description: "Users with a session record.");
        meter.CreateObservableGauge(
            "maintenance.keyspace.node_keys",
            () => (latest.Value?.Nodes ?? []).Select(node => new Measurement<double>(node.Keys, new KeyValuePair<string, object?>("node", node.Node))),
            description: "Keys that a primary of a cluster holds; absent for a single server.");
        meter.CreateGaugeHistogram("maintenance.keyspace.ttl", Lives, "s", "Time to live of the keys by kind, estimated from a sample.");
    }

    /// <inheritdoc/>
    public string Job => JobNames.KeyspaceStats;

    /// <inheritdoc/>
    public void Observe(JobResult result) => latest.Take(result);

    private IEnumerable<Measurement<double>> Total(Func<KeyspaceStatsSnapshot, long> read) =>
        latest.Value is { } snapshot ? [new Measurement<double>(read(snapshot))] : [];

    private void Gauge(Meter meter, string name, string? unit, string description, Func<KindFigures, long?> read) =>
        meter.CreateObservableGauge(name, () => Kinds(read), unit, description);

    private IEnumerable<Measurement<double>> Kinds(Func<KindFigures, long?> read)
    {
        foreach (var (kind, figures) in latest.Value?.Kinds ?? EmptyKinds)
        {
            if (read(figures) is { } value)
            {
                yield return new Measurement<double>(value, new KeyValuePair<string, object?>("kind", kind));
            }
        }
    }

    private IEnumerable<GaugeHistogramSnapshot> Lives()
    {
        foreach (var (kind, figures) in latest.Value?.Kinds ?? EmptyKinds)
        {
            // A neighbouring version may have other bounds; its counts would lie in wrong buckets.
            if (figures.Ttl?.Count == TtlHistogram.UpperBoundsSeconds.Count + 1)
            {
                yield return new GaugeHistogramSnapshot(
                    TtlHistogram.UpperBoundsSeconds, figures.Ttl, figures.TtlSumSeconds, new KeyValuePair<string, object?>("kind", kind));
            }
        }
    }

    private static IReadOnlyDictionary<string, KindFigures> EmptyKinds { get; } = new Dictionary<string, KindFigures>(StringComparer.Ordinal);
}
