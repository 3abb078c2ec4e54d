using System.Diagnostics.Metrics;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.MemoryAlerts;

/// <summary>The alerts and the forecast as gauges; absent while they are not known.</summary>
public sealed class MemoryAlertsMetrics : IJobResultObserver
{
    private readonly LatestSnapshot<MemoryAlertsSnapshot> latest;

    /// <summary>Creates the instruments.</summary>
    public MemoryAlertsMetrics(IMeterFactory meterFactory, LatestSnapshot<MemoryAlertsSnapshot> latest)
    {
        this.latest = latest;
        var meter = meterFactory.Create(WorkerMeter.Name);
        meter.CreateObservableGauge(
            "maintenance.redis.memory_alert", Alerts, description: "Whether used memory is above a threshold; ends later than it begins.");
        meter.CreateObservableGauge(
            "maintenance.redis.memory_full.timestamp", FullTimes, "s", "When memory is full if it grows on like this; absent when it does not grow.");
    }

    /// <inheritdoc/>
    public string Job => JobNames.MemoryAlerts;

    private IReadOnlyList<NodeMemory> Nodes => latest.Value?.Nodes ?? [];

    /// <inheritdoc/>
    public void Observe(JobResult result) => latest.Take(result);

    private IEnumerable<Measurement<double>> Alerts()
    {
        foreach (var node in Nodes)
        {
            if (node.Warning is { } warning)
            {
                yield return new Measurement<double>(warning ? 1 : 0, new("node", node.Node), new("level", "warning"));
            }

            if (node.Critical is { } critical)
            {
                yield return new Measurement<double>(critical ? 1 : 0, new("node", node.Node), new("level", "critical"));
            }
        }
    }

    private IEnumerable<Measurement<double>> FullTimes()
    {
        foreach (var node in Nodes)
        {
            if (node.FullAt is { } fullAt)
            {
                yield return new Measurement<double>(fullAt.ToUnixTimeMilliseconds() / 1000.0, new KeyValuePair<string, object?>("node", node.Node));
            }
        }
    }
}
