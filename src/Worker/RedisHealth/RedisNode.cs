using Maintenance.Storage.Redis;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.RedisHealth;

/// <summary>One Redis server that is watched.</summary>
/// <param name="Name"><c>host:port</c>, without credentials: the metric label <c>node</c>.</param>
/// <param name="Options">How to reach it.</param>
/// <param name="MayBeReplica">Whether it is right that it refuses writes. False for the server that the hosts write to.</param>
public sealed record RedisNode(string Name, RedisOptions Options, bool MayBeReplica = false)
{
    /// <summary>Names a server after its endpoint.</summary>
    public static RedisNode From(RedisOptions options, bool mayBeReplica = false) => new(options.GetServer(), options, mayBeReplica);
}

/// <summary>The servers that are watched: here the one that is configured.</summary>
public sealed class RedisNodes
{
    /// <summary>Watches the configured server.</summary>
    public RedisNodes(IOptions<RedisOptions> options)
        : this([RedisNode.From(options.Value)])
    {
    }

    /// <summary>Watches these.</summary>
    public RedisNodes(IReadOnlyList<RedisNode> all) => All = all;

    /// <summary>Every server.</summary>
    public IReadOnlyList<RedisNode> All { get; }
}
