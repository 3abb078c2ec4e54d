using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Maintenance.Storage.Redis;

/// <summary>A server that holds keys: the only one, or one primary of a cluster.</summary>
/// <param name="Node">The primary; null for the only one.</param>
/// <param name="Connection">
/// Goes to this server alone: for SCAN, INFO, DBSIZE and what else concerns no key. Keys and scripts belong on the connection that knows every node.
/// </param>
public sealed record RedisPrimary(RedisClusterNode? Node, RedisConnection Connection)
{
    /// <summary>For a message about this server: <c>host:port</c>.</summary>
    public string Name => Node?.Name ?? Connection.Endpoint;
}

/// <summary>Connections to single nodes of the cluster, made at need and kept while the node is a part of it.</summary>
internal sealed class RedisPrimaries(RedisOptions options, string? clientName, TimeProvider timeProvider) : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<(string Host, int Port), RedisConnection> open = [];

    /// <summary>The connection to a node.</summary>
    public RedisConnection Of(RedisClusterNode node)
    {
        lock (gate)
        {
            if (!open.TryGetValue((node.Host, node.Port), out var connection))
            {
                // Says nothing when it connects; when it cannot, the caller's call says it.
                open[(node.Host, node.Port)] = connection = new RedisConnection(options.ForNode(node), timeProvider, NullLogger.Instance, clientName);
            }

            return connection;
        }
    }

    /// <summary>Closes the connections to nodes that have left.</summary>
    public async Task KeepOnlyAsync(IEnumerable<RedisClusterNode> nodes)
    {
        var kept = nodes.Select(node => (node.Host, node.Port)).ToHashSet();
        List<RedisConnection> left = [];
        lock (gate)
        {
            foreach (var place in open.Keys.Where(place => !kept.Contains(place)).ToList())
            {
                left.Add(open[place]);
                open.Remove(place);
            }
        }

        foreach (var connection in left)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync() => await KeepOnlyAsync([]).ConfigureAwait(false);
}
