using Maintenance.Storage.Redis;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.RedisHealth;

/// <summary>Probes every node at the same time: one that stands still does not delay what is said of the others. Used by the job, by <c>check</c> and by the health endpoint.</summary>
public sealed class RedisProbe(
    RedisNodes nodes, RedisKeys keys, IOptionsMonitor<RedisHealthOptions> options, TimeProvider timeProvider)
{
    /// <summary>Probes. Returns within <see cref="RedisHealthOptions.Deadline"/> whatever Redis does.</summary>
    /// <param name="previous">What the last probe found, for "since the last probe"; null if there was none.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<RedisHealthSnapshot> ProbeAsync(RedisHealthSnapshot? previous, CancellationToken cancellationToken)
    {
        var settings = options.CurrentValue;
        var all = await nodes.ListAsync(cancellationToken);
        var found = await Task.WhenAll(all.Select(node => new NodeProbe(node, settings, keys, timeProvider)
            .RunAsync(previous?.Nodes.FirstOrDefault(last => last.Node == node.Name), cancellationToken)));
        return new RedisHealthSnapshot { Status = found.Zip(all, Weight).Max(), Nodes = found };
    }

    // A dead replica takes nobody's log-ins away.
    private static HealthStatus Weight(NodeHealth found, RedisNode node) =>
        node.IsSpare && found.Status == HealthStatus.Unhealthy ? HealthStatus.Degraded : found.Status;
}
