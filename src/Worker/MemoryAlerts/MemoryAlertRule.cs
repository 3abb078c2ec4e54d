using Maintenance.Worker.Alerting;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.MemoryAlerts;

/// <summary>Used memory above a threshold: one alert a node, which becomes critical.</summary>
internal sealed class MemoryAlertRule : IAlertRule
{
    public string Name => "redis_memory";

    public string? Job => JobNames.MemoryAlerts;

    public IReadOnlyList<Alert>? Evaluate(JobResult result) => result.ReadSnapshot<MemoryAlertsSnapshot>() is { } snapshot
        ? [.. snapshot.Nodes.Where(node => node.Warning == true || node.Critical == true).Select(node => Alert.Of(
            Name, "node", node.Node, node.Critical == true ? AlertSeverity.Critical : AlertSeverity.Warning, MemoryAlertsJob.Describe(node), AlertRunbooks.MemoryHigh))]
        : null;
}
