using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Logging;

namespace Maintenance.Storage.Outage;

/// <summary>
/// Finds out whether Redis is away, and brings a host back to it: probe, replay of the journal, reads, move of the sessions born in memory, in this order.
/// Runs only while there is something to find out or to do.
/// </summary>
internal sealed class RedisWatch : IDisposable
{
    private readonly Lazy<RedisConnection> connection;
    private readonly RedisKeys keys;
    private readonly RedisBreaker breaker;
    private readonly StorageSwitch mode;
    private readonly PendingRevocations pending;
    private readonly JournalReplay replay;
    private readonly SessionMover mover;
    private readonly MemorySessions memory;
    private readonly OutageOptions options;
    private readonly OutageRules rules;
    private readonly TimeProvider timeProvider;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    // Not disposed: a pass may still be under way when the host ends, and neither holds anything of the system's.
#pragma warning disable CA2213
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly CancellationTokenSource ending = new();
#pragma warning restore CA2213
    private bool running;
    private bool again;

    public RedisWatch(
        Lazy<RedisConnection> connection,
        RedisKeys keys,
        RedisBreaker breaker,
        StorageSwitch mode,
        PendingRevocations pending,
        JournalReplay replay,
        SessionMover mover,
        MemorySessions memory,
        OutageOptions options,
        OutageRules rules,
        TimeProvider timeProvider,
        ILogger logger)
    {
        (this.connection, this.keys, this.breaker, this.mode) = (connection, keys, breaker, mode);
        (this.pending, this.replay, this.mover, this.memory) = (pending, replay, mover, memory);
        (this.options, this.rules, this.timeProvider, this.logger) = (options, rules, timeProvider, logger);
    }

    /// <summary>Whether it acts by itself. Only tests switch it off, to decide when a host comes back.</summary>
    internal bool Automatic { get; set; } = true;

    /// <summary>Something points to trouble, or there is something to carry out: look, in the background.</summary>
    public void Suspect()
    {
        if (!Automatic)
        {
            return;
        }

        lock (gate)
        {
            again = true;
            if (running || ending.IsCancellationRequested)
            {
                return;
            }

            running = true;
        }

        _ = Task.Run(RunAsync);
    }

    /// <summary>The breaker has opened: Redis counts as away from now on.</summary>
    public void Opened()
    {
        mode.SetAway(true, "too many calls failed");
        Suspect();
    }

    /// <summary>Looks once, and does what can be done.</summary>
    /// <returns>Whether nothing is left to do.</returns>
    public async Task<bool> PassAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await LookAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Ends the background work.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            ending.Cancel();
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            lock (gate)
            {
                again = false;
            }

            var done = false;
            try
            {
                done = await PassAsync(ending.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception exception)
            {
                logger.WatchFailed(exception);
            }

            lock (gate)
            {
                if (done && !again)
                {
                    running = false;
                    return;
                }
            }

            try
            {
                await Task.Delay(options.ProbeInterval, timeProvider, ending.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task<bool> LookAsync(CancellationToken cancellationToken)
    {
        if (mode.Mode == StorageMode.Memory)
        {
            return true;
        }

        var loadedNow = !pending.Loaded;
        if (loadedNow)
        {
            try
            {
                await pending.LoadAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                mode.SetAway(true, $"the journal cannot be read: {exception.Message}");
                return false;
            }
        }

        ServerClock clock;
        try
        {
            clock = await ProbeAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StorageUnavailableException exception)
        {
            await breaker.OpenAsync().ConfigureAwait(false);
            mode.SetAway(true, exception.Message);
            return false;
        }
        catch (StackExchange.Redis.RedisServerException)
        {
            // It answers, and what it refuses concerns single keys or a right that is not given.
            clock = default;
        }

        if (mode.IsRedisAway && !loadedNow)
        {
            try
            {
                await pending.RefreshAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                mode.SetAway(true, $"the journal cannot be read: {exception.Message}");
                return false;
            }
        }

        if (clock == default)
        {
            return pending.Count == 0 && await ResumeAsync().ConfigureAwait(false);
        }

        if (clock.ServerMicroseconds <= mover.UnsettledUntil)
        {
            // A move that got no answer could come after what is replayed now.
            return false;
        }

        if (!rules.ReplaysFirst && mode.IsRedisAway)
        {
            await ResumeAsync().ConfigureAwait(false);
            return false;
        }

        var outcome = await replay.RunAsync(clock, cancellationToken).ConfigureAwait(false);
        if (outcome == ReplayOutcome.Unavailable)
        {
            // A host that reads already goes on: what waits is denied on it.
            return false;
        }

        await ResumeAsync().ConfigureAwait(false);
        var moved = memory.Count == 0 || await mover.RunAsync(clock, cancellationToken).ConfigureAwait(false);
        return moved && pending.Count == 0;
    }

    private async Task<bool> ResumeAsync()
    {
        await breaker.CloseAsync().ConfigureAwait(false);
        mode.SetAway(false, "");
        return true;
    }

    // A read and not a PING, as in the health check; the time comes with it.
    private async Task<ServerClock> ProbeAsync(CancellationToken cancellationToken)
    {
        var key = keys.SessionsOf(UserReference.Of("readiness"));
        DateTimeOffset before = default;
        var time = await connection.Value.WithoutBreaker().CallAsync(
            async database =>
            {
                // Here, so that the time to connect is not counted as a difference of clocks.
                before = timeProvider.GetUtcNow();
                var read = database.KeyExistsAsync(key);
                var clock = database.ExecuteAsync("TIME");
                await read.ConfigureAwait(false);
                return ClientCompat.Items(await clock.ConfigureAwait(false));
            },
            cancellationToken).ConfigureAwait(false);
        return new ServerClock(((long)time[0] * 1_000_000) + (long)time[1], before, timeProvider.GetUtcNow(), timeProvider.GetTimestamp());
    }
}
