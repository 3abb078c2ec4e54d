using Maintenance.Storage.Diagnostics;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Maintenance.Storage.Redis;

/// <summary>Holds the one multiplexer: opens it at the first need and puts another in its place when it is broken.</summary>
internal sealed class MultiplexerSlot(
    RedisOptions options, string? clientName, string endpoint, TimeProvider timeProvider, ILogger logger) : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly ConfigurationOptions configuration = RedisConfiguration.Build(options, clientName);
    private SentinelWatch? sentinels;
    private Task<ConnectionMultiplexer>? connecting;
    private volatile ConnectionFailureType failure = ConnectionFailureType.None;
    private int missedDeadlines;
    private bool disposed;

    /// <summary>Whether the client believes that it is connected.</summary>
    public bool IsConnected => Volatile.Read(ref connecting) is { IsCompletedSuccessfully: true } task && task.Result.IsConnected;

    /// <summary>Whether the servers form a cluster; false while none has answered yet.</summary>
    public bool IsCluster => Volatile.Read(ref connecting) is { IsCompletedSuccessfully: true } task && ClientCompat.IsCluster(task.Result);

    /// <summary>Why the last attempt to connect failed. The client forgets it while it makes the next one.</summary>
    public ConnectionFailureType Failure => failure;

    /// <summary>The multiplexer, or the attempt to have one; never null, maybe failed.</summary>
    public Task<ConnectionMultiplexer> Current()
    {
        var current = Volatile.Read(ref connecting);
        if (current is not null)
        {
            return current;
        }

        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (options.Sentinel.Endpoints.Count > 0)
            {
                sentinels ??= new SentinelWatch(options, Moved, timeProvider);
            }

            return connecting ??= OpenAsync();
        }
    }

    /// <summary>A call was answered: the deadlines missed before it were not the connection's fault.</summary>
    public void Answered() => Volatile.Write(ref missedDeadlines, 0);

    /// <summary>A call on this multiplexer went unanswered; after several in a row another takes its place.</summary>
    public void MissedDeadline(Task<ConnectionMultiplexer> connection)
    {
        // What was still waiting on a connection that has been replaced says nothing of the new one.
        if (ReferenceEquals(Volatile.Read(ref connecting), connection) && Interlocked.Increment(ref missedDeadlines) >= options.DeadlinesBeforeReconnect)
        {
            Replace(connection, "missed deadlines");
        }
    }

    /// <summary>Puts a new multiplexer in the place of a broken one, unless somebody has done so already.</summary>
    public void Replace(Task<ConnectionMultiplexer> broken, string reason)
    {
        lock (gate)
        {
            if (disposed || !ReferenceEquals(connecting, broken))
            {
                return;
            }

            missedDeadlines = 0;
            connecting = OpenAsync();
        }

        logger.ConnectionReplaced(endpoint, reason);
        _ = CloseAsync(broken);
    }

    /// <summary>Closes the multiplexer without waiting for pending calls.</summary>
    public async ValueTask DisposeAsync()
    {
        Task<ConnectionMultiplexer>? last;
        lock (gate)
        {
            disposed = true;
            last = connecting;
            connecting = null;
        }

        if (sentinels is not null)
        {
            await sentinels.DisposeAsync().ConfigureAwait(false);
        }

        if (last is { IsCompleted: true })
        {
            await CloseAsync(last).ConfigureAwait(false);
        }
        else if (last is not null)
        {
            // An attempt at a Redis that does not answer may last long; a host that is ending must not wait for it.
            _ = CloseAsync(last);
        }
    }

    private async Task<ConnectionMultiplexer> OpenAsync()
    {
        // Off the caller's thread: the client resolves names and allocates threads before its first await.
        // Its own timeout bounds one attempt at one endpoint; a hard limit, because nothing replaces an attempt that never ends.
        var attempt = Task.Run(ConnectAsync);
        ConnectionMultiplexer multiplexer;
        try
        {
            multiplexer = await attempt.WaitAsync((options.ConnectTimeout * 3) + TimeSpan.FromSeconds(1), timeProvider).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It goes on by itself, and a client that came late would reconnect for ever.
            _ = CloseAsync(attempt);
            throw;
        }

        // The client also calls a first connection restored.
        var failed = false;
        multiplexer.ConnectionFailed += (_, lost) =>
        {
            failed = true;
            failure = lost.FailureType;
            logger.ConnectionFailed(endpoint, lost.FailureType.ToString());
            if (lost.FailureType == ConnectionFailureType.ProtocolFailure)
            {
                // Replies may be out of step from here on; one of them could be another user's.
                ReplaceIfCurrent(multiplexer, "protocol failure");
            }
        };
        multiplexer.ConnectionRestored += (_, _) =>
        {
            failure = ConnectionFailureType.None;
            if (failed)
            {
                logger.ConnectionRestored(endpoint);
            }
        };
        if (multiplexer.IsConnected)
        {
            logger.Connected(endpoint, ClientCompat.ClientVersion);
        }
        else
        {
            var why = await WhyNotAsync(multiplexer).ConfigureAwait(false);
            failure = multiplexer.IsConnected ? ConnectionFailureType.None : why;
            logger.NotConnectedYet(endpoint);
        }

        return multiplexer;
    }

    // The first attempt fails before anybody can listen; a call that finds no connection says why, but not while the client makes the next attempt.
    private async Task<ConnectionFailureType> WhyNotAsync(ConnectionMultiplexer multiplexer)
    {
        for (var tries = 0; tries < 5 && !multiplexer.IsConnected; tries++)
        {
            try
            {
                await multiplexer.GetDatabase().ExecuteAsync("TIME").WaitAsync(TimeSpan.FromMilliseconds(100)).ConfigureAwait(false);
            }
            catch (RedisConnectionException exception) when (FailureOf(exception) is var type and not ConnectionFailureType.None)
            {
                return type;
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
            {
                // No reason is known yet.
            }

            if (failure != ConnectionFailureType.None)
            {
                break;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System).ConfigureAwait(false);
        }

        return failure;
    }

    /// <summary>The reason in an exception of the client, which it gives only in the exceptions inside; None: none is there.</summary>
    public static ConnectionFailureType FailureOf(Exception exception)
    {
        var type = ConnectionFailureType.None;
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            type = inner is RedisConnectionException { FailureType: not (ConnectionFailureType.None or ConnectionFailureType.UnableToResolvePhysicalConnection) } failure
                ? failure.FailureType
                : type;
        }

        return type;
    }

    private async Task<ConnectionMultiplexer> ConnectAsync()
    {
        if (sentinels is null)
        {
            return await ConnectionMultiplexer.ConnectAsync(configuration).ConfigureAwait(false);
        }

        var primary = await sentinels.PrimaryAsync().ConfigureAwait(false);
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(RedisConfiguration.Build(options, clientName, primary)).ConfigureAwait(false);
        // The Sentinels may not know yet, or no longer: what is written to a replica's old primary is lost.
        if (multiplexer.GetEndPoints().Any(node => ClientCompat.IsReplica(multiplexer.GetServer(node))))
        {
            _ = CloseAsync(Task.FromResult(multiplexer));
            throw new NoPrimaryException($"The Sentinels name {primary.Host}:{primary.Port}, which is a replica.");
        }

        return multiplexer;
    }

    /// <summary>The Sentinels name another primary than the one connected to.</summary>
    private void Moved((string Host, int Port) primary)
    {
        var current = Volatile.Read(ref connecting);
        if (current is null or { IsCompleted: false })
        {
            return;
        }

        var there = ClientCompat.EndPoint(primary.Host, primary.Port);
        if (!current.IsCompletedSuccessfully || !current.Result.GetEndPoints().Contains(there))
        {
            Replace(current, $"the primary is {primary.Host}:{primary.Port} now");
        }
    }

    private void ReplaceIfCurrent(ConnectionMultiplexer multiplexer, string reason)
    {
        var current = Volatile.Read(ref connecting);
        if (current is { IsCompletedSuccessfully: true } && ReferenceEquals(current.Result, multiplexer))
        {
            Replace(current, reason);
        }
    }

    private static async Task CloseAsync(Task<ConnectionMultiplexer> connection)
    {
        try
        {
            var multiplexer = await connection.ConfigureAwait(false);
            await Task.Run(() => multiplexer.CloseAsync(allowCommandsToComplete: false)).ConfigureAwait(false);
        }
        catch (Exception exception) when (
            exception is RedisException or ObjectDisposedException or TimeoutException or InvalidOperationException or NoPrimaryException or OperationCanceledException)
        {
            // It is being thrown away because it is broken; how it breaks while closing matters to nobody.
        }
    }
}
