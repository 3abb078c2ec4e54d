using Maintenance.Storage.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Worker.RedisHealth;

/// <summary>The servers that are watched, as they are now: the one that is configured and its replicas, or every node of its cluster.</summary>
public sealed class RedisNodes
{
    private static readonly TimeSpan LeastDeadline = TimeSpan.FromSeconds(2);

    private readonly RedisConnection? connection;
    private readonly RedisOptions? options;
    private readonly IOptionsMonitor<RedisHealthOptions>? health;
    private IReadOnlyList<RedisNode> last;

    /// <summary>Watches the configured server, and the nodes of which it tells.</summary>
    public RedisNodes(IOptions<RedisOptions> options, RedisConnection connection, IOptionsMonitor<RedisHealthOptions> health)
        : this([RedisNode.From(options.Value)]) => (this.options, this.connection, this.health) = (options.Value, connection, health);

    /// <summary>Watches these.</summary>
    public RedisNodes(IReadOnlyList<RedisNode> all) => last = all;

    /// <summary>Every server. While Redis does not answer, those that were known: which of them answers is then worth knowing.</summary>
    public async Task<IReadOnlyList<RedisNode>> ListAsync(CancellationToken cancellationToken)
    {
        if (connection is null)
        {
            return last;
        }

        try
        {
            if (await connection.GetTopologyAsync(cancellationToken, connection.DeadlineOfAtLeast(LeastDeadline)) is not { } topology)
            {
                last = await WithReplicasAsync(cancellationToken);
            }
            else if (topology.Nodes.Count > 0)
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
        catch (RedisServerException)
        {
            // A server that refuses INFO does not tell of its replicas; the probe reports the refusal.
        }

        return last;
    }

    // With Sentinels too: the connection follows the primary, and a replica that has taken over is no longer in its list.
    private async Task<IReadOnlyList<RedisNode>> WithReplicasAsync(CancellationToken cancellationToken)
    {
        var configured = RedisNode.From(options!);
        if (!health!.CurrentValue.Replicas)
        {
            return [configured];
        }

        var replicas = RedisInfo.Parse(await connection!.InfoAsync(cancellationToken, connection.DeadlineOfAtLeast(LeastDeadline))).Replicas();
        return [configured, .. replicas.Select(replica => RedisNode.Replica(options!, replica)).OfType<RedisNode>().OrderBy(node => node.Name, StringComparer.Ordinal)];
    }
}
