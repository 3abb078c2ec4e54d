using System.Globalization;
using Maintenance.Storage.Redis;
using StackExchange.Redis;

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
    public bool IsSpare => Member is null ? MayBeReplica : Member.Slots.Count == 0;

    /// <summary>Names a server after its endpoint.</summary>
    public static RedisNode From(RedisOptions options, bool mayBeReplica = false) => new(options.GetServer(), options, mayBeReplica);

    /// <summary>A replica that its primary names, with the primary's user, password and TLS; null if its address cannot be read.</summary>
    public static RedisNode? Replica(RedisOptions options, ReplicaFigures replica)
    {
        var colon = replica.Node.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(replica.Node.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is 0 or > 65535)
        {
            return null;
        }

        var node = new RedisClusterNode("", replica.Node[..colon].Trim('[', ']'), port, IsPrimary: false, HasFailed: false, []);
        return new RedisNode(replica.Node, options.ForNode(node), MayBeReplica: true);
    }

    /// <summary>Sends a command to this node, and to no other that it may point to.</summary>
    /// <exception cref="StorageUnavailableException">It did not answer, or does not serve.</exception>
    /// <exception cref="RedisServerException">It refuses the command.</exception>
    internal Task<RedisResult> ExecuteAsync(RedisConnection connection, string command, object[] arguments, CancellationToken cancellationToken) =>
        connection.CallAsync(
            database => database.ExecuteAsync(command, arguments, Member is null ? CommandFlags.None : CommandFlags.NoRedirect), cancellationToken);
}
