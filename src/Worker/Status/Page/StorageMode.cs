using Maintenance.Worker.RedisHealth;

namespace Maintenance.Worker.Status.Page;

/// <summary>What kind of Redis the storage lies in, in words, as the last probe found it.</summary>
internal static class StorageMode
{
    /// <summary>Describes it.</summary>
    /// <param name="nodes">The nodes of the last probe; none before the first.</param>
    /// <param name="bySentinel">Whether Sentinels name the primary.</param>
    /// <param name="archived">Whether sessions have a durable copy.</param>
    public static string Describe(IReadOnlyList<NodeHealth> nodes, bool bySentinel, bool archived)
    {
        var servers = nodes switch
        {
            [] => null,
            _ when nodes.Any(node => node.ClusterEnabled == true) => $"a cluster of {nodes.Count} nodes",
            [_] => "one server",
            _ => $"a primary with {nodes.Count - 1} {(nodes.Count == 2 ? "replica" : "replicas")}",
        };
        string?[] parts = [servers, bySentinel ? "found by Sentinels" : null, archived ? "with a durable copy in PostgreSQL" : null];
        return string.Join(", ", parts.OfType<string>());
    }
}
