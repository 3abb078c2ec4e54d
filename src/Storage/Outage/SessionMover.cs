using System.Collections.Concurrent;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.Outage;

/// <summary>
/// Moves sessions that were born in memory to Redis, one script each, under their own ids. A session whose move got no answer may be in both places: it
/// is never written again, only looked for, once Redis's clock says that the first attempt can no longer take effect.
/// </summary>
internal sealed class SessionMover(
    Lazy<RedisConnection> connection,
    RedisKeys keys,
    MemoryUsers users,
    MemorySessions memory,
    StorageSwitch mode,
    JournalReplay replay,
    IOptionsMonitor<SessionOptions> sessions,
    OutageOptions options,
    OutageRules rules,
    RedisOptions redis,
    TimeProvider timeProvider,
    ILogger logger) : IDisposable
{
    private static readonly RedisScript Move = RedisScript.Load(typeof(SessionMover).Assembly, "Outage/move.lua");

    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly ConcurrentDictionary<(UserReference User, SessionId Id), long> unsettled = new();

    /// <summary>
    /// Until when, on Redis's clock in microseconds, a move without an answer may take effect. Until then nothing is replayed, because it could come after.
    /// </summary>
    public long UnsettledUntil => unsettled.IsEmpty ? 0 : unsettled.Values.Max();

    /// <summary>Whether a session may be in Redis as well as in memory.</summary>
    public bool IsUnsettled(UserReference user, SessionId id) => !unsettled.IsEmpty && unsettled.ContainsKey((user, id));

    /// <summary>Waits until no session is being moved, and keeps it so.</summary>
    public async Task<IDisposable> PauseAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Turn(turn);
    }

    /// <summary>Moves all sessions of users whose state belongs into Redis. False: some are left.</summary>
    public async Task<bool> RunAsync(ServerClock clock, CancellationToken cancellationToken)
    {
        var (moved, ended) = (0, 0);
        var complete = true;
        foreach (var (user, id) in memory.All().Where(one => mode.IsInRedis(one.User)))
        {
            using (await PauseAsync(cancellationToken).ConfigureAwait(false))
            {
                try
                {
                    switch (await MoveAsync(user, id, clock, cancellationToken).ConfigureAwait(false))
                    {
                        case true:
                            moved++;
                            break;
                        case false:
                            ended++;
                            break;
                        default:
                            complete = false;
                            break;
                    }
                }
                catch (StorageUnavailableException)
                {
                    complete = false;
                    break;
                }
                catch (RedisServerException exception)
                {
                    // Something else stands where the user's index should be; nothing was written.
                    unsettled.TryRemove((user, id), out _);
                    logger.SessionNotMoved(id.ToLogString(), exception.Message);
                    complete = false;
                }
            }
        }

        if (moved + ended > 0)
        {
            logger.SessionsMoved(moved, ended);
        }

        if (complete)
        {
            replay.Forget();
        }

        return complete;
    }

    /// <inheritdoc/>
    public void Dispose() => turn.Dispose();

    // True: it is in Redis now. False: it has ended. Null: it stays for the next time.
    private async Task<bool?> MoveAsync(UserReference user, SessionId id, ServerClock clock, CancellationToken cancellationToken)
    {
        if (unsettled.TryGetValue((user, id), out var until))
        {
            return clock.ServerMicroseconds > until ? await SettleAsync(user, id, cancellationToken).ConfigureAwait(false) : null;
        }

        MemorySessions.Held? held;
        lock (users.Gate(user))
        {
            memory.Find(user, id, out held);
        }

        if (held is null || held.Session.Id != id)
        {
            Remove(user, id);
            return false;
        }

        var session = held.Session;
        var (flags, body) = SessionRecordFormat.EncodeBody(session.UserId, session.IpAddress, session.UserAgent, session.DeviceName, session.Claims);
        var deadline = clock.In(redis.Deadline * 2, timeProvider);
        var own = replay.GenerationOf(user);
        var born = rules.MoveComparesGenerations ? clock.AtEarliest(session.CreatedAt, options.ClockTolerance) : long.MaxValue / 2;
        unsettled[(user, id)] = deadline;
        string? answer;
        try
        {
            answer = (string?)await connection.Value.WithoutBreaker().EvaluateAsync(
                Move,
                [keys.Session(user, id), keys.SessionIndex(user), keys.Generation(user)],
                [
                    deadline, born, own?.Set.ToString() ?? "", own?.Found?.ToString() ?? "",
                    held.Format, (int)flags, (long)session.SlidingExpiration.TotalSeconds, Milliseconds(session.CreatedAt, clock),
                    Milliseconds(session.LastSeenAt, clock), Milliseconds(session.AuthenticatedAt, clock), Milliseconds(session.AbsoluteExpiresAt, clock),
                    (long)sessions.CurrentValue.AbsoluteExpiration.TotalMilliseconds, id.Value, body,
                ],
                cancellationToken).ConfigureAwait(false);
        }
        catch (StorageUnavailableException exception) when (exception.OnlyWrites || exception.Reason == UnavailableReason.OutOfMemory)
        {
            // Refused, so nothing is in doubt.
            unsettled.TryRemove((user, id), out _);
            throw;
        }

        unsettled.TryRemove((user, id), out _);
        if (answer == "late")
        {
            return null;
        }

        Remove(user, id);
        return answer is "moved" or "exists";
    }

    private async Task<bool?> SettleAsync(UserReference user, SessionId id, CancellationToken cancellationToken)
    {
        var exists = await connection.Value.WithoutBreaker().CallAsync(database => database.KeyExistsAsync(keys.Session(user, id)), cancellationToken).ConfigureAwait(false);
        // Gone: it was never written, or written and ended by somebody. Nobody knows, so it ends.
        Remove(user, id);
        unsettled.TryRemove((user, id), out _);
        return exists;
    }

    private void Remove(UserReference user, SessionId id)
    {
        lock (users.Gate(user))
        {
            memory.End(user, id);
        }
    }

    // Not later than it was: another host's journalled revocation must find the session as old as it is, however long this call takes.
    private static long Milliseconds(DateTimeOffset time, ServerClock clock) => clock.AtEarliest(time, TimeSpan.Zero) / 1000;

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
