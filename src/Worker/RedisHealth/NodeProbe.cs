using Maintenance.Storage.Redis;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Maintenance.Worker.RedisHealth;

/// <summary>Takes one node's figures over a fresh connection, so that the probe sees what a new client sees. One instance a probe.</summary>
internal sealed class NodeProbe(RedisNode node, RedisHealthOptions options, RedisKeys keys, TimeProvider timeProvider)
{
    private const int SlowLogEntries = 128;
    private static readonly TimeSpan CanaryLife = TimeSpan.FromSeconds(60);

    private readonly List<string> unavailable = [];
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
            figures = figures with { Failure = Describe(exception) };
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
        await PingAsync(connection, cancellationToken);
        ReadInfo(await AskAsync("INFO", () => connection.InfoAsync(cancellationToken)), previous);
        await ReadPolicyAsync(connection, cancellationToken);
        await ReadSlowLogAsync(connection, previous, cancellationToken);
        if (node.UnservedSlots is { } unserved)
        {
            figures = figures with { ClusterEnabled = true, ClusterState = unserved == 0 ? "ok" : "fail", ClusterUnservedSlots = unserved };
        }
        else if (figures.ClusterEnabled == true)
        {
            var state = await AskAsync("CLUSTER INFO", () => ExecuteAsync(connection, "CLUSTER", ["INFO"], cancellationToken));
            figures = figures with { ClusterState = state is null ? null : RedisInfo.Parse((string?)state).Text("cluster_state") };
        }

        await CanaryAsync(connection, cancellationToken);
    }

    private async Task PingAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        // ECHO costs the server what PING costs, and is answered also while PING is refused (MISCONF, LOADING): the canary tells those. An ACL may
        // refuse it; the others cost a little more.
        var commands = new Queue<(string Name, object[] Arguments)>([("ECHO", ["ping"]), ("TIME", []), ("GET", [CanaryKey()])]);
        var seconds = new List<double>(options.Pings);
        try
        {
            while (seconds.Count < options.Pings && commands.TryPeek(out var command))
            {
                var started = timeProvider.GetTimestamp();
                if (await AnswersAsync(connection, command.Name, command.Arguments, cancellationToken))
                {
                    seconds.Add(timeProvider.GetElapsedTime(started).TotalSeconds);
                }
                else
                {
                    unavailable.Add(command.Name);
                    commands.Dequeue();
                }

                figures = figures with { Up = true };
            }
        }
        catch (StorageUnavailableException exception) when (exception.Reason is UnavailableReason.NotServing)
        {
            // It answers, and says that it does not serve (loading, a replica without its primary): what it tells besides is worth having.
            figures = figures with { Up = !IsAuthentication(exception), Failure = Describe(exception) };
        }
        finally
        {
            figures = figures with { Ping = seconds.Count == 0 ? null : new PingFigures { Seconds = seconds } };
        }
    }

    /// <summary>False for a refusal: an answer too, but one that says nothing of the speed.</summary>
    private async Task<bool> AnswersAsync(RedisConnection connection, string command, object[] arguments, CancellationToken cancellationToken)
    {
        try
        {
            await ExecuteAsync(connection, command, arguments, cancellationToken);
            return true;
        }
        catch (RedisServerException)
        {
            return false;
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
    }

    private async Task ReadPolicyAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        var reply = await AskAsync("CONFIG GET maxmemory-policy", () => ExecuteAsync(connection, "CONFIG", ["GET", "maxmemory-policy"], cancellationToken));
        if (reply is null)
        {
            return;
        }

        if ((RedisResult[]?)reply is [_, var value, ..] && (string?)value is { Length: > 0 } policy)
        {
            figures = figures with { Memory = (figures.Memory ?? new MemoryFigures()) with { Policy = policy } };
        }
        else if (figures.Memory?.Policy is null)
        {
            unavailable.Add("CONFIG GET maxmemory-policy");
        }
    }

    private async Task ReadSlowLogAsync(RedisConnection connection, NodeHealth? previous, CancellationToken cancellationToken)
    {
        var reply = await AskAsync("SLOWLOG GET", () => ExecuteAsync(connection, "SLOWLOG", ["GET", SlowLogEntries], cancellationToken));
        if (reply is not null && (RedisResult[]?)reply is { } entries)
        {
            figures = figures with { SlowLog = SlowLog.Read(entries, previous?.RunId == figures.RunId && figures.RunId is not null ? previous?.SlowLog : null) };
        }
    }

    private async Task CanaryAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        if (figures.Failure is not null || node.IsSpare)
        {
            // Nothing of its own to write to.
            return;
        }

        if (figures.Role == "slave")
        {
            // The client sends no write to a replica, and calls that a lost connection.
            figures = figures with { Canary = new CanaryFigures { Refused = new ProbeFailure(HealthReasons.ReadOnly, "It is a replica, so it takes no writes.") } };
            return;
        }

        var key = CanaryKey();
        var value = Guid.NewGuid().ToString("N");
        var canary = new CanaryFigures();
        try
        {
            var started = timeProvider.GetTimestamp();
            await ExecuteAsync(connection, "SET", [key, value, "PX", (long)CanaryLife.TotalMilliseconds], cancellationToken);
            canary = canary with { WriteSeconds = timeProvider.GetElapsedTime(started).TotalSeconds };
            started = timeProvider.GetTimestamp();
            var read = (string?)await ExecuteAsync(connection, "GET", [key], cancellationToken);
            canary = canary with { ReadSeconds = timeProvider.GetElapsedTime(started).TotalSeconds };
            if (read != value)
            {
                canary = canary with { Refused = new ProbeFailure(HealthReasons.CanaryLost, "A key that was just written was not there, or held something else.") };
            }

            await ExecuteAsync(connection, "DEL", [key], cancellationToken);
        }
        catch (StorageUnavailableException exception) when (exception.Reason is UnavailableReason.NotServing or UnavailableReason.OutOfMemory)
        {
            canary = canary with { Refused = Describe(exception) };
        }
        catch (StorageUnavailableException exception) when (exception.Reason == UnavailableReason.Moving)
        {
            // The slot has just been given away; the next probe writes to another.
        }
        catch (RedisServerException exception)
        {
            unavailable.Add("canary (SET, GET, DEL)");
            canary = canary with { Refused = new ProbeFailure(HealthReasons.CanaryRefused, exception.Message) };
        }

        figures = figures with { Canary = canary };
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
            figures = figures with { Failure = figures.Failure ?? Describe(exception) };
        }

        return null;
    }

    private Task<RedisResult> ExecuteAsync(RedisConnection connection, string command, object[] arguments, CancellationToken cancellationToken) =>
        connection.CallAsync(
            database => database.ExecuteAsync(command, arguments, node.Member is null ? CommandFlags.None : CommandFlags.NoRedirect), cancellationToken);

    // Of a cluster: in a slot that this node serves.
    private string CanaryKey()
    {
        string key;
        do
        {
            key = keys.Maintenance($"canary:{Guid.NewGuid():N}");
        }
        while (node.Member is { Slots: { Count: > 0 } slots } && !slots.Any(range => range.Contains(HashSlot.Of(key))));
        return key;
    }

    private RedisOptions ProbeOptions()
    {
        var copy = node.Options.Clone();
        copy.Deadline = options.CallDeadline;
        copy.ConnectTimeout = options.ConnectTimeout < options.Deadline ? options.ConnectTimeout : options.Deadline;
        return copy;
    }

    private static ProbeFailure Describe(StorageUnavailableException exception)
    {
        var message = exception.Message;
        var code = exception.Reason switch
        {
            UnavailableReason.Connection => HealthReasons.Unreachable,
            UnavailableReason.Deadline => HealthReasons.NoAnswer,
            UnavailableReason.OutOfMemory => HealthReasons.OutOfMemory,
            _ when IsAuthentication(exception) => HealthReasons.AuthenticationRefused,
            _ when message.Contains("LOADING", StringComparison.Ordinal) => HealthReasons.Loading,
            _ when message.Contains("READONLY", StringComparison.Ordinal) => HealthReasons.ReadOnly,
            _ when message.Contains("MISCONF", StringComparison.Ordinal) || message.Contains("NOREPLICAS", StringComparison.Ordinal) => HealthReasons.WritesStopped,
            _ when message.Contains("CLUSTERDOWN", StringComparison.Ordinal) => HealthReasons.ClusterDown,
            _ => HealthReasons.NotServing,
        };
        return new ProbeFailure(code, message);
    }

    private static bool IsAuthentication(StorageUnavailableException exception) =>
        exception.Message.Contains("NOAUTH", StringComparison.Ordinal) || exception.Message.Contains("WRONGPASS", StringComparison.Ordinal);
}
