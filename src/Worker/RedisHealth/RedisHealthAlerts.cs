using Maintenance.Worker.Alerting;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisHealth;

/// <summary>A node that is not healthy, and an eviction policy that drops auth state (apart, because it lasts until somebody changes it).</summary>
internal sealed class RedisHealthAlerts : IAlertRule
{
    public string Name => "redis_health";

    public string? Job => JobNames.RedisHealth;

    public IReadOnlyList<Alert>? Evaluate(JobResult result) =>
        result.ReadSnapshot<RedisHealthSnapshot>() is { } snapshot ? [.. snapshot.Nodes.SelectMany(Of)] : null;

    private static IEnumerable<Alert> Of(NodeHealth node)
    {
        var reasons = node.Reasons.Where(reason => reason.Code != HealthReasons.UnsafePolicy).ToList();
        if (reasons.Count > 0)
        {
            var severity = reasons.Exists(reason => reason.Status == HealthStatus.Unhealthy) ? AlertSeverity.Critical : AlertSeverity.Warning;
            yield return Alert.Of("redis_health", "node", node.Node, severity, $"Redis {node.Node}: {Text(reasons)}", HealthRunbooks.Of(reasons));
        }

        if (node.Reasons.FirstOrDefault(reason => reason.Code == HealthReasons.UnsafePolicy) is { } policy)
        {
            yield return Alert.Of("redis_unsafe_policy", "node", node.Node, AlertSeverity.Warning, $"Redis {node.Node}: {Text([policy])}", AlertRunbooks.UnsafePolicy);
        }
    }

    private static string Text(IEnumerable<HealthReason> reasons) => string.Join(' ', reasons.Select(reason => $"{reason.Text} See {reason.See}."));
}
