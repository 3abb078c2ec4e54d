using Maintenance.Storage.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.Redis;

/// <summary>
/// One multiplexed connection to Redis with a hard deadline on every call. The client's own asynchronous calls have none: with the
/// server stopped, a GET stayed pending for 75 s. After several missed deadlines in a row the connection is replaced.
/// </summary>
public sealed class RedisConnection : IAsyncDisposable
{
    private static readonly TimeSpan MovingPause = TimeSpan.FromMilliseconds(10);

    private readonly RedisOptions options;
    private readonly MultiplexerSlot slot;
    private readonly RedisPrimaries primaries;
    private readonly TimeProvider timeProvider;
    private readonly bool shared;

    /// <summary>Creates the connection; nothing is sent until the first call.</summary>
    /// <param name="options">Validated options.</param>
    /// <param name="timeProvider">Clock of the deadlines.</param>
    /// <param name="logger">Receives connection changes; never a password.</param>
    public RedisConnection(IOptions<RedisOptions> options, TimeProvider timeProvider, ILogger<RedisConnection> logger)
        : this((options ?? throw new ArgumentNullException(nameof(options))).Value, timeProvider, logger)
    {
    }

    /// <summary>Creates a connection with options of its own, for example a longer deadline for a job's batches.</summary>
    public RedisConnection(RedisOptions options, TimeProvider timeProvider, ILogger logger, string? clientName = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.options = options;
        this.timeProvider = timeProvider;
        Endpoint = options.Sentinel.Endpoints.Count > 0 ? $"{options.Sentinel.ServiceName}/{options.Database}" : RedisEndpoint.From(options).ToString();
        slot = new MultiplexerSlot(options, clientName, Endpoint, timeProvider, logger);
        primaries = new RedisPrimaries(options, clientName, timeProvider);
    }

    // The same connection, for what has to ask while the breaker is open.
    private RedisConnection(RedisConnection other)
    {
        (options, slot, primaries, timeProvider) = (other.options, other.slot, other.primaries, other.timeProvider);
        (Endpoint, BeforeCall, shared) = (other.Endpoint, other.BeforeCall, true);
    }

    /// <summary><c>host:port/database</c>, without credentials; with Sentinels the service name in the place of host and port.</summary>
    public string Endpoint { get; }

    /// <summary>Fails calls at once while Redis is away; null: every call is made.</summary>
    internal Outage.RedisBreaker? Breaker { get; init; }

    /// <summary>Whether the client believes that it is connected. A hint: only a call's answer proves it.</summary>
    public bool IsConnected => slot.IsConnected;

    /// <summary>Whether the servers form a cluster; false while none has answered yet.</summary>
    internal bool IsCluster => slot.IsCluster;

    /// <summary>A deadline for work that is worth more patience than a request: this, or <see cref="RedisOptions.Deadline"/> where that is longer.</summary>
    public TimeSpan DeadlineOfAtLeast(TimeSpan least) => options.Deadline > least ? options.Deadline : least;

    /// <summary>Clock of the deadlines, and of whoever paces what he asks.</summary>
    internal TimeProvider Clock => timeProvider;

    /// <summary>Awaited before each call. Only tests set it, to decide in which order the calls of several clients reach Redis.</summary>
    internal Func<Task>? BeforeCall { get; init; }

    /// <summary>Waits for a connection, at most <see cref="RedisOptions.ConnectTimeout"/> and a second. Not needed before calls; hosts warm up with it.</summary>
    /// <returns>Whether the client is connected now. It goes on trying by itself.</returns>
    public async Task<bool> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            var multiplexer = await slot.Current().WaitAsync(options.ConnectTimeout + TimeSpan.FromSeconds(1), timeProvider, cancellationToken).ConfigureAwait(false);
            return multiplexer.IsConnected;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // A name that does not resolve, Sentinels without a primary, a certificate that cannot be read: the next call tries again and says which.
            return false;
        }
    }

    /// <summary>Runs one call, or one batch of calls, under the deadline.</summary>
    /// <param name="call">Sends the commands. May run again while keys are on their way to another node of a cluster: reads, or one script.</param>
    /// <param name="cancellationToken">Ends the wait. What was sent may still take effect.</param>
    /// <param name="deadline">Instead of <see cref="RedisOptions.Deadline"/>.</param>
    /// <exception cref="StorageUnavailableException">Redis did not answer, or is not serving.</exception>
    /// <exception cref="RedisServerException">Redis refused the command for another reason (wrong type, no permission).</exception>
    public Task<T> CallAsync<T>(Func<IDatabase, Task<T>> call, CancellationToken cancellationToken, TimeSpan? deadline = null)
    {
        ArgumentNullException.ThrowIfNull(call);
        return Breaker is null
            ? CallOnceAsync(call, deadline, cancellationToken)
            : Breaker.RunAsync(
                static (state, token) => state.Connection.CallOnceAsync(state.Call, state.Deadline, token),
                (Connection: this, Call: call, Deadline: deadline),
                cancellationToken);
    }

    /// <summary>The same connection without the breaker. Closing it is the other one's matter.</summary>
    internal RedisConnection WithoutBreaker() => Breaker is null ? this : new RedisConnection(this);

    private async Task<T> CallOnceAsync<T>(Func<IDatabase, Task<T>> call, TimeSpan? deadline, CancellationToken cancellationToken)
    {
        if (BeforeCall is { } turn)
        {
            await turn().ConfigureAwait(false);
        }

        var limit = deadline ?? options.Deadline;
        var started = timeProvider.GetTimestamp();
        Exception? moving = null;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return await AttemptAsync(call, limit - timeProvider.GetElapsedTime(started), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (ServerErrors.Moving(exception) && timeProvider.GetElapsedTime(started) + MovingPause < limit)
            {
                moving = exception;
                await Task.Delay(MovingPause, timeProvider, cancellationToken).ConfigureAwait(false);
            }
            // The analysis does not follow a variable from one catch to the next.
#pragma warning disable CA1508
            catch (StorageUnavailableException exception) when (moving is not null && exception.Reason == UnavailableReason.Deadline)
#pragma warning restore CA1508
            {
                throw new StorageUnavailableException(UnavailableReason.Moving, $"Redis at {Endpoint}: {moving.Message}", moving);
            }
            catch (SlotMovingException exception)
            {
                throw new StorageUnavailableException(UnavailableReason.Moving, $"Redis at {Endpoint}: {exception.Message}", exception);
            }
            catch (RedisServerException exception) when (ServerErrors.Reason(exception.Message) is { } reason)
            {
                throw new StorageUnavailableException(reason, $"Redis at {Endpoint} refused: {exception.Message}", exception)
                {
                    OnlyWrites = ServerErrors.OnlyWrites(exception.Message),
                    CredentialsRefused = ServerErrors.Credentials(exception.Message),
                };
            }
        }
    }

    /// <summary>Runs a script by its hash, and by its text when the server does not know the hash (first use, restart, SCRIPT FLUSH).</summary>
    /// <exception cref="StorageUnavailableException">Redis did not answer, or is not serving.</exception>
    public async Task<RedisResult> EvaluateAsync(
        RedisScript script, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellationToken, TimeSpan? deadline = null)
    {
        ArgumentNullException.ThrowIfNull(script);
        return await CallAsync(database => script.EvaluateAsync(database, keys, arguments), cancellationToken, deadline).ConfigureAwait(false);
    }

    /// <summary>The server's INFO, as text: <c>name:value</c> lines. Which fields it has is the server's choice.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="deadline">Instead of <see cref="RedisOptions.Deadline"/>.</param>
    /// <exception cref="StorageUnavailableException">Redis did not answer, or is not serving.</exception>
    /// <exception cref="RedisServerException">The server refuses INFO.</exception>
    public Task<string> InfoAsync(CancellationToken cancellationToken, TimeSpan? deadline = null) =>
        CallAsync(async database => ClientCompat.InfoText(await database.ExecuteAsync("INFO").ConfigureAwait(false)), cancellationToken, deadline);

    /// <summary>The nodes of the cluster, as one of them sees it now; null if this is no cluster, or the client is bound to one node.</summary>
    /// <exception cref="StorageUnavailableException">Redis did not answer, or refuses CLUSTER NODES.</exception>
    public async Task<RedisTopology?> GetTopologyAsync(CancellationToken cancellationToken, TimeSpan? deadline = null)
    {
        if (options.Node is not null)
        {
            return null;
        }

        try
        {
            var text = await CallAsync(
                async database => ClientCompat.IsCluster(database.Multiplexer) ? (string?)await database.ExecuteAsync("CLUSTER", "NODES").ConfigureAwait(false) : null,
                cancellationToken,
                deadline).ConfigureAwait(false);
            return text is null ? null : RedisTopology.Parse(text);
        }
        catch (RedisServerException exception)
        {
            throw new StorageUnavailableException(
                UnavailableReason.NotServing, $"Redis at {Endpoint} is a node of a cluster and refuses CLUSTER NODES, without which the others cannot be found: {exception.Message}", exception);
        }
    }

    /// <summary>Every server that holds keys: the configured one, or each primary of the cluster, each with a connection of its own that this one keeps.</summary>
    /// <exception cref="StorageUnavailableException">Redis did not answer, so that the nodes are not known.</exception>
    public async Task<IReadOnlyList<RedisPrimary>> GetPrimariesAsync(CancellationToken cancellationToken, TimeSpan? deadline = null)
    {
        if (await GetTopologyAsync(cancellationToken, deadline).ConfigureAwait(false) is not { } topology)
        {
            return [new RedisPrimary(null, this)];
        }

        await primaries.KeepOnlyAsync(topology.Primaries).ConfigureAwait(false);
        return [.. topology.Primaries.Select(node => new RedisPrimary(node, primaries.Of(node)))];
    }

    /// <summary>Closes the connection without waiting for pending calls.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!shared)
        {
            await primaries.DisposeAsync().ConfigureAwait(false);
            await slot.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<T> AttemptAsync<T>(Func<IDatabase, Task<T>> call, TimeSpan limit, CancellationToken cancellationToken)
    {
        var started = timeProvider.GetTimestamp();
        var connection = slot.Current();
        ConnectionMultiplexer multiplexer;
        try
        {
            multiplexer = connection.IsCompletedSuccessfully
                ? connection.Result
                : await connection.WaitAsync(limit > TimeSpan.Zero ? limit : TimeSpan.Zero, timeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException exception) when (!connection.IsFaulted)
        {
            throw new StorageUnavailableException(UnavailableReason.Connection, $"No connection to Redis at {Endpoint} yet.", exception);
        }
        catch (Exception exception) when (connection.IsFaulted)
        {
            // Whatever it was (name resolution, a certificate that cannot be read any more): kept, it would fail every later call too.
            slot.Replace(connection, "could not connect");
            throw new StorageUnavailableException(UnavailableReason.Connection, $"Cannot connect to Redis at {Endpoint}.", exception);
        }

        Task<T>? pending = null;
        var remaining = limit - timeProvider.GetElapsedTime(started);
        try
        {
            pending = call(multiplexer.GetDatabase());
            if (!pending.IsCompleted)
            {
                // Never negative: -1 ms would mean for ever.
                await ((Task)pending).WaitAsync(remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero, timeProvider, cancellationToken).ConfigureAwait(false);
            }

            var result = await pending.ConfigureAwait(false);
            slot.Answered();
            return result;
        }
        catch (RedisServerException)
        {
            // An error is an answer too.
            slot.Answered();
            throw;
        }
        catch (TimeoutException exception)
        {
            Observe(pending);
            // A call whose time went by while it waited for the connection was not left unanswered by it.
            if (remaining > TimeSpan.Zero)
            {
                slot.MissedDeadline(connection);
            }

            throw new StorageUnavailableException(UnavailableReason.Deadline, $"Redis at {Endpoint} did not answer within {limit.TotalMilliseconds:0} ms.", exception);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Observe(pending);
            throw;
        }
        catch (Exception exception) when (exception is RedisConnectionException or ObjectDisposedException or OperationCanceledException)
        {
            Observe(pending);
            throw NoConnection(exception);
        }
    }

    // An operator needs the reason in the first line. The server's text never holds the password.
    private StorageUnavailableException NoConnection(Exception exception)
    {
        var type = MultiplexerSlot.FailureOf(exception);
        type = type == ConnectionFailureType.None ? slot.Failure : type;
        var text = type switch
        {
            ConnectionFailureType.None => $"No connection to Redis at {Endpoint}.",
            ConnectionFailureType.AuthenticationFailure => $"Redis at {Endpoint} wants a password and did not take the one given ({RedisOptions.Section}:Password or REDIS_PASSWORD).",
            _ => $"No connection to Redis at {Endpoint}: {type}.",
        };
        return new(UnavailableReason.Connection, text, exception) { CredentialsRefused = type == ConnectionFailureType.AuthenticationFailure };
    }

    private static void Observe(Task? abandoned) =>
        _ = abandoned?.ContinueWith(
            static task => _ = task.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
}
