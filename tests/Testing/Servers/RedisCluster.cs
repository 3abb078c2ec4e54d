using Maintenance.Storage.Redis;

namespace Maintenance.Testing;

/// <summary>
/// A real Redis Cluster on loopback: three primaries that share the slots evenly, each with as many replicas as asked for. Nodes find each other
/// by CLUSTER MEET, so no other program is needed; a cluster of three is ready in about a second.
/// </summary>
public sealed class RedisCluster : IAsyncDisposable
{
    private const int PrimaryCount = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // A node that hears nothing for so long takes the other for dead, or gives up a handshake and never tries again.
    private static readonly TimeSpan Unhurried = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Hurried = TimeSpan.FromSeconds(3);

    private readonly List<RedisServer> nodes = [];

    private RedisCluster()
    {
    }

    /// <summary>Every node that was started: first the primaries in the order of their slots, then their replicas in the same order.</summary>
    public IReadOnlyList<RedisServer> Nodes => nodes;

    /// <summary>Those that began as primaries.</summary>
    public IReadOnlyList<RedisServer> Primaries => nodes[..PrimaryCount];

    /// <summary>Those that began as replicas.</summary>
    public IReadOnlyList<RedisServer> Replicas => nodes[PrimaryCount..];

    /// <summary>URL of the first node.</summary>
    public string Url => nodes[0].Url;

    /// <summary>Starts one and returns when every node says that the cluster is well.</summary>
    /// <param name="replicas">Replicas of each primary.</param>
    /// <param name="options">Options of each node.</param>
    /// <param name="losesNodes">
    /// Whether a node that does not answer is soon taken for dead: short enough for a test of a failover, and a busy machine may look like one. See <see cref="LoseNodesAsync"/>.
    /// </param>
    public static async Task<RedisCluster> StartAsync(int replicas = 0, RedisServerOptions? options = null, bool losesNodes = true)
    {
        var cluster = new RedisCluster();
        try
        {
            await cluster.FormAsync(replicas, options ?? new RedisServerOptions());
            if (losesNodes)
            {
                await cluster.LoseNodesAsync();
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>From now on the running nodes soon take one that does not answer for dead.</summary>
    public async Task LoseNodesAsync()
    {
        foreach (var node in nodes.Where(node => node.IsRunning))
        {
            await node.ExecuteAsync("CONFIG", "SET", "cluster-node-timeout", $"{Hurried.TotalMilliseconds}");
        }
    }

    /// <summary>Starts one more node that holds no slot and returns when all know it.</summary>
    public async Task<RedisServer> AddNodeAsync(RedisServerOptions? options = null)
    {
        var (node, bus) = await StartNodeAsync(options ?? new RedisServerOptions());
        nodes.Add(node);
        await nodes[0].ExecuteAsync("CLUSTER", "MEET", "127.0.0.1", $"{node.Port}", $"{bus}");
        await AllKnowEachOtherAsync();
        return node;
    }

    /// <summary>The slot of a key, as the server computes it.</summary>
    public async Task<int> SlotAsync(string key) => (int)await AnyNode().IntegerAsync("CLUSTER", "KEYSLOT", key);

    /// <summary>The node that serves a slot now.</summary>
    public async Task<RedisServer> OwnerAsync(int slot)
    {
        foreach (var entry in ((object?[])(await AnyNode().ExecuteAsync("CLUSTER", "SLOTS"))!).Cast<object?[]>())
        {
            if (slot >= (long)entry[0]! && slot <= (long)entry[1]!)
            {
                var port = (long)((object?[])entry[2]!)[1]!;
                return nodes.Single(node => node.Port == port);
            }
        }

        throw new InvalidOperationException($"Nobody serves slot {slot}.");
    }

    /// <summary>The node that serves a key now.</summary>
    public async Task<RedisServer> OwnerAsync(string key) => await OwnerAsync(await SlotAsync(key));

    /// <summary>Runs a command on the node that serves its first key, which is its second word.</summary>
    public async Task<object?> ExecuteAsync(params string[] command) => await (await OwnerAsync(command[1])).ExecuteAsync(command);

    /// <summary>Every key of every running primary that matches, sorted.</summary>
    public async Task<IReadOnlyList<string>> KeysAsync(string pattern = "*")
    {
        var all = new List<string>();
        foreach (var node in nodes.Where(node => node.IsRunning))
        {
            if (await RoleAsync(node) == "master")
            {
                all.AddRange(await node.KeysAsync(pattern));
            }
        }

        return [.. all.Order(StringComparer.Ordinal)];
    }

    /// <summary>Empties every primary.</summary>
    public async Task FlushAllAsync()
    {
        foreach (var node in nodes.Where(node => node.IsRunning))
        {
            if (await RoleAsync(node) == "master")
            {
                await node.FlushAllAsync();
            }
        }
    }

    /// <summary><c>master</c> or <c>slave</c>.</summary>
    public static async Task<string> RoleAsync(RedisServer node) => (string)((object?[])(await node.ExecuteAsync("ROLE"))!)[0]!;

    /// <summary>The node's id.</summary>
    public static async Task<string> IdAsync(RedisServer node) => (await node.StringAsync("CLUSTER", "MYID"))!;

    /// <summary>First step of moving a slot: from now on its owner says ASK for keys that it does not have.</summary>
    public async Task BeginMoveAsync(int slot, RedisServer to)
    {
        var from = await OwnerAsync(slot);
        await to.ExecuteAsync("CLUSTER", "SETSLOT", $"{slot}", "IMPORTING", await IdAsync(from));
        await from.ExecuteAsync("CLUSTER", "SETSLOT", $"{slot}", "MIGRATING", await IdAsync(to));
    }

    /// <summary>Moves some of the slot's keys.</summary>
    public async Task MoveKeysAsync(int slot, RedisServer to, params string[] keys)
    {
        var from = await OwnerAsync(slot);
        if (keys.Length > 0)
        {
            await from.ExecuteAsync(["MIGRATE", "127.0.0.1", $"{to.Port}", "", "0", "10000", "KEYS", .. keys]);
        }
    }

    /// <summary>Moves what is left, and makes the move known.</summary>
    public async Task EndMoveAsync(int slot, RedisServer to)
    {
        var from = await OwnerAsync(slot);
        while (await from.ListAsync("CLUSTER", "GETKEYSINSLOT", $"{slot}", "100") is { Count: > 0 } keys)
        {
            await MoveKeysAsync(slot, to, [.. keys]);
        }

        var id = await IdAsync(to);
        var others = new List<RedisServer>();
        foreach (var node in nodes.Where(node => node.IsRunning && node != to && node != from))
        {
            if (await RoleAsync(node) == "master")
            {
                others.Add(node);
            }
        }

        RedisServer[] all = [to, from, .. others];
        // The new owner's claim gets the highest epoch that it knows. If it has not heard of the old one's, a heartbeat that the old one sent before it
        // was told wins, and the two name each other for ever.
        var highest = (await Task.WhenAll(all.Select(node => EpochAsync(node, "cluster_my_epoch")))).Max();
        await Eventually.TrueAsync(async () => await EpochAsync(to, "cluster_current_epoch") >= highest, Patience);
        foreach (var node in all)
        {
            await node.ExecuteAsync("CLUSTER", "SETSLOT", $"{slot}", "NODE", id);
        }

        // A third one that knows only the new owner's old epoch believes a heartbeat that the old owner sent before it was told, until it hears the new one's.
        var epoch = await EpochAsync(to, "cluster_my_epoch");
        foreach (var node in nodes.Where(node => node.IsRunning))
        {
            await Eventually.TrueAsync(async () => Serves(await ViewAsync(node), id, slot, epoch), Patience);
        }
    }

    // <id> <address> <flags> <primary> <ping> <pong> <epoch> <link> <slots>...; a slot on its way is in brackets.
    private static bool Serves(IReadOnlyList<string> view, string id, int slot, long epoch)
    {
        var fields = view.Single(line => line.StartsWith(id, StringComparison.Ordinal)).Split(' ');
        return long.Parse(fields[6]) >= epoch && fields[8..].Where(range => !range.StartsWith('[')).Any(range =>
            range.Split('-') is var ends && int.Parse(ends[0]) <= slot && slot <= int.Parse(ends[^1]));
    }

    private static async Task<long> EpochAsync(RedisServer node, string name) =>
        long.Parse((await node.StringAsync("CLUSTER", "INFO"))!.Split("\r\n").Single(line => line.StartsWith(name + ":", StringComparison.Ordinal))[(name.Length + 1)..]);

    /// <summary>The whole move.</summary>
    public async Task MoveSlotAsync(int slot, RedisServer to)
    {
        await BeginMoveAsync(slot, to);
        await EndMoveAsync(slot, to);
    }

    /// <summary>Returns when every running node says that the cluster is well.</summary>
    public Task WellAsync() => Eventually.TrueAsync(
        async () =>
        {
            foreach (var node in nodes.Where(node => node.IsRunning))
            {
                if (!(await node.StringAsync("CLUSTER", "INFO"))!.Contains("cluster_state:ok", StringComparison.Ordinal))
                {
                    return false;
                }
            }

            return true;
        },
        Patience);

    /// <summary>Kills every node and removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }
    }

    private RedisServer AnyNode() => nodes.First(node => node.IsRunning);

    private async Task FormAsync(int replicas, RedisServerOptions options)
    {
        var started = await Task.WhenAll(Enumerable.Range(0, PrimaryCount * (1 + replicas)).Select(_ => StartNodeAsync(options)));
        nodes.AddRange(started.Select(node => node.Server));
        for (var i = 0; i < PrimaryCount; i++)
        {
            // Epochs of their own at once: else the nodes first settle a collision.
            await nodes[i].ExecuteAsync("CLUSTER", "SET-CONFIG-EPOCH", $"{i + 1}");
            var range = new SlotRange(i * SlotRange.Slots / PrimaryCount, ((i + 1) * SlotRange.Slots / PrimaryCount) - 1);
            await nodes[i].ExecuteAsync("CLUSTER", "ADDSLOTSRANGE", $"{range.From}", $"{range.To}");
        }

        foreach (var (server, bus) in started.Skip(1))
        {
            await nodes[0].ExecuteAsync("CLUSTER", "MEET", "127.0.0.1", $"{server.Port}", $"{bus}");
        }

        await AllKnowEachOtherAsync();
        foreach (var (number, replica) in Replicas.Index())
        {
            await replica.ExecuteAsync("CLUSTER", "REPLICATE", await IdAsync(nodes[number % PrimaryCount]));
        }

        await WellAsync();
        foreach (var replica in Replicas)
        {
            await Eventually.TrueAsync(
                async () => (await replica.StringAsync("INFO", "replication"))!.Contains("master_link_status:up", StringComparison.Ordinal), Patience);
        }

        // A replica that its primary's neighbours do not know as one yet would not be voted for.
        foreach (var node in nodes)
        {
            await Eventually.TrueAsync(async () => (await ViewAsync(node)).Count(line => line.Contains("slave", StringComparison.Ordinal)) == Replicas.Count, Patience);
        }
    }

    private async Task AllKnowEachOtherAsync()
    {
        foreach (var node in nodes)
        {
            await Eventually.TrueAsync(
                async () => (await ViewAsync(node)) is var view && view.Count == nodes.Count && !view.Any(line => line.Contains("handshake", StringComparison.Ordinal)),
                Patience);
        }
    }

    private static async Task<IReadOnlyList<string>> ViewAsync(RedisServer node) =>
        (await node.StringAsync("CLUSTER", "NODES"))!.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static async Task<(RedisServer Server, int Bus)> StartNodeAsync(RedisServerOptions options)
    {
        // Not the default of port + 10,000, which is above 65,535 for many free ports.
        var bus = FreePort.Next();
        var server = await RedisServer.StartAsync(options with
        {
            ConfigurationLines =
            [
                "cluster-enabled yes",
                "cluster-config-file nodes.conf",
                $"cluster-port {bus}",
                $"cluster-node-timeout {Unhurried.TotalMilliseconds}",
                "cluster-replica-validity-factor 0",
                "cluster-allow-replica-migration no",
                "repl-diskless-sync-delay 0",
                .. options.Password is { } password ? [$"masterauth \"{password}\""] : Array.Empty<string>(),
                .. options.ConfigurationLines,
            ],
        });
        return (server, bus);
    }
}

/// <summary>One cluster without replicas for all tests of a class or collection.</summary>
public sealed class RedisClusterFixture : IAsyncLifetime
{
    private RedisCluster? cluster;

    /// <summary>The running cluster.</summary>
    public RedisCluster Cluster => cluster ?? throw new InvalidOperationException("The fixture is not initialized.");

    /// <inheritdoc/>
    public async Task InitializeAsync() => cluster = await RedisCluster.StartAsync(losesNodes: false);

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        if (cluster is not null)
        {
            await cluster.DisposeAsync();
        }
    }
}
