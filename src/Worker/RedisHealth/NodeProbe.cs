using Maintenance.Storage.Redis;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Maintenance.Worker.RedisHealth;

/// <summary>Takes one node's figures over a fresh connection, so that the probe sees what a new client sees. One instance a probe.</summary>
internal sealed class NodeProbe(RedisNode node, RedisHealthOptions options, RedisKeys keys, TimeProvider timeProvider)
{
    private const int SlowLogEntries = 128;

    private readonly List<string> unavailable = [];
    private readonly NodeCanary canary = new(node, keys, timeProvider);
    private NodeHealth figures = new() { Node = node.Name };

    /// <summary>Never throws for what the server does or does not do; that is what it reports.</summary>
    /// <param name="previous">The node's figures of the last probe, or null.</param>
    /// <param name="cancellationToken">Ends it; the caller's cancellation is thrown.</param>
    public async Task<NodeHealth> RunAsync(NodeHealth? previous, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(options.Deadline, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var connection = new RedisConnection(ProbeOptions(), timeProvider, NullLogger.Instance, "maintenance-probe");
        try
        {
            await MeasureAsync(connection, previous, either.Token);
        }
        catch (StorageUnavailableException exception)
        {
            figures = figures with { Failure = ProbeFailures.Describe(exception) };
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            var code = figures.Up ? HealthReasons.NoAnswer : HealthReasons.Unreachable;
            figures = figures with { Failure = new ProbeFailure(code, $"No answer from {node.Name} within {options.Deadline.TotalSeconds:0.#} s (Jobs:RedisHealth:Deadline).") };
        }
        finally
        {
            // Not awaited: closing a connection to a server that stands still may take as long as connecting to it.
            _ = connection.DisposeAsync().AsTask();
        }

        // The last answer counts: a node that fell silent half-way is not up.
        var lost = figures.Failure?.Code is HealthReasons.Unreachable or HealthReasons.NoAnswer or HealthReasons.AuthenticationRefused;
        return HealthRules.Judge(
            figures with { At = timeProvider.GetUtcNow(), Up = figures.Up && !lost, Unavailable = [.. unavailable] }, node.MayBeReplica, options);
    }

    private async Task MeasureAsync(RedisConnection connection, NodeHealth? previous, CancellationToken cancellationToken)
    {
        var started = timeProvider.GetTimestamp();
        var connected = await connection.ConnectAsync(cancellationToken);
        if (connected)
        {
            figures = figures with { ConnectSeconds = timeProvider.GetElapsedTime(started).TotalSeconds };
        }

        // Also without a connection: the error tells why there is none.
        var pings = await NodePings.MeasureAsync(node, connection, canary.Key(), options.Pings, timeProvider, cancellationToken);
        figures = figures with { Up = pings.Up, Ping = pings.Figures, Failure = pings.Failure };
        unavailable.AddRange(pings.Refused);
        pings.Lost?.Throw();
        ReadInfo(await AskAsync("INFO", () => connection.InfoAsync(cancellationToken)), previous);
        await ReadSlowLogAsync(connection, previous, cancellationToken);
        if (node.UnservedSlots is { } unserved)
        {
            figures = figures with { ClusterEnabled = true, ClusterState = unserved == 0 ? "ok" : "fail", ClusterUnservedSlots = unserved };
        }
        else if (figures.ClusterEnabled == true)
        {
            var state = await AskAsync("CLUSTER INFO", () => node.ExecuteAsync(connection, "CLUSTER", ["INFO"], cancellationToken));
            figures = figures with { ClusterState = state is null ? null : RedisInfo.Parse((string?)state).Text("cluster_state") };
        }

        // After a failure, and on a node that has nothing of its own to write to, there is none.
        if (figures.Failure is null && !node.IsSpare)
        {
            figures = figures with { Canary = await canary.RunAsync(connection, figures.Role, unavailable, cancellationToken) };
        }
    }

    private void ReadInfo(string? text, NodeHealth? previous)
    {
        if (text is null)
        {
            return;
        }

        var info = RedisInfo.Parse(text);
        var runId = info.Text("run_id");
        var counters = new CounterFigures
        {
            EvictedKeys = info.Count64("evicted_keys"),
            ExpiredKeys = info.Count64("expired_keys"),
            RejectedConnections = info.Count64("rejected_connections"),
            KeyspaceHits = info.Count64("keyspace_hits"),
            KeyspaceMisses = info.Count64("keyspace_misses"),
        };
        var before = runId is not null && previous?.RunId == runId ? previous.Counters : null;
        var role = info.Text("role");
        figures = figures with
        {
            RunId = runId,
            Version = info.Text("redis_version"),
            Role = role,
            PrimaryLinkUp = role == "slave" && info.Text("master_link_status") is { } link ? link == "up" : null,
            Replicas = role == "master" ? info.Replicas() : null,
            Loading = info.Flag("loading"),
            Persistence = new PersistenceFigures
            {
                LastSnapshotOk = info.Ok("rdb_last_bgsave_status"),
                AppendOnly = info.Flag("aof_enabled"),
                LastAppendOk = info.Ok("aof_last_write_status"),
            },
            Memory = new MemoryFigures
            {
                UsedBytes = info.Count64("used_memory"),
                MaxBytes = info.Count64("maxmemory"),
                FragmentationRatio = info.Ratio("mem_fragmentation_ratio"),
                Policy = info.Text("maxmemory_policy"),
            },
            ConnectedClients = info.Count64("connected_clients"),
            Counters = counters,
            EvictedSinceLast = counters.EvictedKeys - before?.EvictedKeys,
            RejectedSinceLast = counters.RejectedConnections - before?.RejectedConnections,
            ClusterEnabled = info.Flag("cluster_enabled"),
        };
        foreach (var field in (string[])["used_memory", "maxmemory", "evicted_keys", "expired_keys", "keyspace_hits", "rejected_connections"])
        {
            if (info.Count64(field) is null)
            {
                unavailable.Add($"INFO {field}");
            }
        }

        // Not CONFIG GET: whoever may ask it may read every setting, and masterauth is a password.
        if (info.Text("maxmemory_policy") is null)
        {
            unavailable.Add("INFO maxmemory_policy");
        }
    }

    private async Task ReadSlowLogAsync(RedisConnection connection, NodeHealth? previous, CancellationToken cancellationToken)
    {
        var reply = await AskAsync("SLOWLOG GET", () => node.ExecuteAsync(connection, "SLOWLOG", ["GET", SlowLogEntries], cancellationToken));
        if (reply is not null && (RedisResult[]?)reply is { } entries)
        {
            figures = figures with { SlowLog = SlowLog.Read(entries, previous?.RunId == figures.RunId && figures.RunId is not null ? previous?.SlowLog : null) };
        }
    }

    /// <summary>Asks for something that a server may not offer; null then, and it is noted.</summary>
    private async Task<T?> AskAsync<T>(string what, Func<Task<T>> ask)
        where T : class
    {
        try
        {
            return await ask();
        }
        catch (RedisServerException)
        {
            unavailable.Add(what);
        }
        catch (StorageUnavailableException exception) when (exception.Reason == UnavailableReason.NotServing)
        {
            // A loading server answers INFO and refuses the rest; the failure says so already.
            figures = figures with { Failure = figures.Failure ?? ProbeFailures.Describe(exception) };
        }

        return null;
    }

    private RedisOptions ProbeOptions()
    {
        var copy = node.Options.Clone();
        copy.Deadline = options.CallDeadline;
        copy.ConnectTimeout = options.ConnectTimeout < options.Deadline ? options.ConnectTimeout : options.Deadline;
        return copy;
    }
}
