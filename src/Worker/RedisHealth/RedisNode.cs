using Maintenance.Storage.Redis;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.RedisHealth;

/// <summary>One Redis server that is watched.</summary>
/// <param name="Name"><c>host:port</c>, without credentials: the metric label <c>node</c>.</param>
/// <param name="Options">How to reach it.</param>
/// <param name="MayBeReplica">Whether it is right that it refuses writes. False for the server that the hosts write to.</param>
public sealed record RedisNode(string Name, RedisOptions Options, bool MayBeReplica = false)
{
    /// <summary>Of a cluster: what the others say of it.</summary>
    public RedisClusterNode? Member { get; init; }

    /// <summary>Of a cluster: slots that no working node serves.</summary>
    public int? UnservedSlots { get; init; }

    /// <summary>Whether the store serves without it: a replica, or a primary whose slots another node has taken over.</summary>
    public bool IsSpare => Member is { Slots.Count: 0 };

    /// <summary>Names a server after its endpoint.</summary>
    public static RedisNode From(RedisOptions options, bool mayBeReplica = false) => new(options.GetServer(), options, mayBeReplica);
}

/// <summary>The servers that are watched: the one that is configured, or every node of its cluster, as they are now.</summary>
public sealed class RedisNodes
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

    private readonly RedisConnection? connection;
    private readonly RedisOptions? options;
    private IReadOnlyList<RedisNode> last;

    /// <summary>Watches the configured server, and the nodes of which it tells.</summary>
    public RedisNodes(IOptions<RedisOptions> options, RedisConnection connection)
        : this([RedisNode.From(options.Value)]) => (this.options, this.connection) = (options.Value, connection);

    /// <summary>Watches these.</summary>
    public RedisNodes(IReadOnlyList<RedisNode> all) => last = all;

    /// <summary>Every server. While the cluster does not answer, those that were known: which of them answers is then worth knowing.</summary>
    public async Task<IReadOnlyList<RedisNode>> ListAsync(CancellationToken cancellationToken)
    {
        if (connection is null)
        {
            return last;
        }

        try
        {
            var topology = await connection.GetTopologyAsync(cancellationToken, Deadline);
            if (topology is { Nodes.Count: > 0 })
            {
                var unserved = topology.UnservedSlots;
                last = [.. topology.Nodes.OrderBy(node => node.Name, StringComparer.Ordinal).Select(node =>
                    new RedisNode(node.Name, options!.ForNode(node), !node.IsPrimary) { Member = node, UnservedSlots = unserved })];
            }
        }
        catch (StorageUnavailableException)
        {
            // The probes of the known nodes say what is wrong.
        }

        return last;
    }
}
