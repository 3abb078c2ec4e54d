using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Status;

/// <summary>What the probe job says of Redis, in short.</summary>
/// <param name="Status">The worst of the nodes.</param>
/// <param name="Reasons">Why it is not healthy, a line a reason.</param>
internal sealed record ProbeStatus(HealthStatus Status, IReadOnlyList<string> Reasons)
{
    /// <summary>Healthy, degraded or unhealthy.</summary>
    public string Text => Status.Label();

    /// <summary>Reads it from a result; null if its job is no probe or it came to nothing.</summary>
    public static ProbeStatus? Read(JobResult result) =>
        result.Job == JobNames.RedisHealth && result.ReadSnapshot<RedisHealthSnapshot>() is { } snapshot
            ? new ProbeStatus(
                snapshot.Status,
                [.. snapshot.Nodes.SelectMany(node => node.Reasons.Select(reason => $"{node.Node}: {reason.Code}: {reason.Text} See {reason.See}."))])
            : null;
}
