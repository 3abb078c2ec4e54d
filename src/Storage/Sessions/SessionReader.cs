using System.Globalization;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Maintenance.Storage.Sessions;

/// <summary>Reads records and decides whether they are valid. Plain commands, no script: this is the hot path.</summary>
internal sealed class SessionReader(RedisConnection connection, RedisKeys keys, ILogger logger, Func<TimeSpan> detailsLife)
{
    private readonly SessionReadQueue queue = new(connection, keys);

    // An id can change again within the grace of the change before; a longer chain than this is no browser's.
    private const int MostAliases = 8;

    public bool CheckGeneration { get; init; } = true;

    public int NewestKnownFormat { get; init; } = SessionRecordFormat.Newest;

    /// <summary>Reads a token's record and judges it; an alias is followed to the session that it stands for.</summary>
    public async Task<(SessionValidation Validation, SessionRead Read)> ReadValidAsync(UserReference user, SessionId id, CancellationToken cancellationToken)
    {
        for (var followed = 0; ; followed++)
        {
            var read = await queue.ReadAsync(user, id, cancellationToken).ConfigureAwait(false);
            var validation = Judge(user, id, read);
            if (followed == MostAliases || validation.IsValid || !IsAlias(read, out var generation, out var target))
            {
                return (validation, read);
            }

            if (CheckGeneration && generation != read.GenerationNumber)
            {
                return (SessionValidation.Denied(SessionDenial.Revoked), read);
            }

            id = target;
        }
    }

    /// <summary>
    /// The live sessions among some ids, in their order. Redis's clock comes with the records, because a key that has lost its TTL outlives its
    /// session, and unlike a validation nothing here runs the script that would end it.
    /// </summary>
    public async Task<IReadOnlyList<Session>> ReadLiveAsync(UserReference user, List<SessionId> ids, CancellationToken cancellationToken)
    {
        if (ids.Count == 0)
        {
            return [];
        }

        var reads = await connection.CallAsync(database => FlushAsync(database, user, ids), cancellationToken).ConfigureAwait(false);
        return [.. ids.Select((id, i) => Live(user, id, reads[i])).OfType<Session>()];
    }

    /// <summary>A user's generation. An MGET, which answers nil instead of an error for a key of another type.</summary>
    public async Task<long?> GenerationAsync(UserReference user, CancellationToken cancellationToken)
    {
        RedisKey[] key = [keys.Generation(user)];
        return SessionRead.Number((byte[]?)(await connection.CallAsync(database => database.StringGetAsync(key), cancellationToken).ConfigureAwait(false))[0]);
    }

    private Session? Live(UserReference user, SessionId id, SessionRead read) =>
        Judge(user, id, read).Session is { } session && session.ExpiresAt.ToUnixTimeMilliseconds() > read.ServerMilliseconds ? session : null;

    /// <summary>The rule of validity: the record exists, its user hashes to the reference, and its generation is the user's.</summary>
    public SessionValidation Judge(UserReference user, SessionId id, SessionRead read)
    {
        if (read.Record is not { } record)
        {
            return SessionValidation.Denied(SessionDenial.NotFound);
        }

        switch (SessionRecordFormat.Classify(record, NewestKnownFormat, out var version))
        {
            case RecordKind.UnknownVersion:
                logger.UnknownRecordVersion(id.ToLogString(), version, NewestKnownFormat);
                return SessionValidation.Denied(SessionDenial.Unreadable);
            case RecordKind.Alias:
                return SessionValidation.Denied(SessionDenial.NotFound);
            case RecordKind.Foreign:
                logger.NotASession(id.ToLogString());
                return SessionValidation.Denied(SessionDenial.Unreadable);
            case RecordKind.Session:
            default:
                break;
        }

        var session = SessionRecordFormat.Decode(id, record);
        if (session is null || UserReference.Of(session.UserId) != user)
        {
            logger.NotASession(id.ToLogString());
            return SessionValidation.Denied(SessionDenial.Unreadable);
        }

        return CheckGeneration && read.GenerationNumber != session.Generation
            ? SessionValidation.Denied(SessionDenial.Revoked)
            : SessionValidation.Valid(ClientDetails.Hide(session, detailsLife(), read.Now(session)));
    }

    /// <summary>
    /// One flush. Records and generation come by one MGET: it is atomic, so a revoke-all that keeps one session cannot be seen half done,
    /// and it answers nil instead of an error for a key of another type. With it comes the server's time.
    /// </summary>
    private async Task<SessionRead[]> FlushAsync(IDatabase database, UserReference user, List<SessionId> ids)
    {
        var names = new RedisKey[ids.Count + 1];
        for (var i = 0; i < ids.Count; i++)
        {
            names[i] = keys.Session(user, ids[i]);
        }

        names[ids.Count] = keys.Generation(user);
        var batch = database.CreateBatch();
        var values = batch.StringGetAsync(names);
        var clock = batch.ExecuteAsync("TIME");
        batch.Execute();
        await Task.WhenAll(values, clock).ConfigureAwait(false);
        var records = await values.ConfigureAwait(false);
        var time = Milliseconds(await clock.ConfigureAwait(false));
        return [.. ids.Select((_, i) => new SessionRead((byte[]?)records[i], (byte[]?)records[ids.Count], 0, time))];
    }

    private static long Milliseconds(RedisResult time)
    {
        var parts = ClientCompat.Items(time);
        return ((long)parts[0] * 1000) + ((long)parts[1] / 1000);
    }

    private static bool IsAlias(SessionRead read, out long generation, out SessionId target)
    {
        generation = 0;
        target = default;
        return read.Record is { } record
            && SessionRecordFormat.Classify(record, SessionRecordFormat.Newest, out _) == RecordKind.Alias
            && SessionRecordFormat.TryDecodeAlias(record, out generation, out target);
    }
}

/// <summary>What one flush of plain reads brought: a record, the user's generation, and the key's remaining life or the server's time.</summary>
internal readonly record struct SessionRead(byte[]? Record, byte[]? Generation, long TimeToLiveMilliseconds, long ServerMilliseconds)
{
    // Above 2^53 the scripts' numbers are not exact; they refuse it too.
    private const int MostDigits = 16;
    private const long MostExact = (1L << 53) - 1;

    /// <summary>The generation, or null when it is missing or unreadable; both deny. Digits only: the scripts read it by the same rule.</summary>
    public long? GenerationNumber => Number(Generation);

    /// <summary>The number in a generation's key; null for anything else.</summary>
    public static long? Number(byte[]? generation)
    {
        if (generation is not { Length: > 0 and <= MostDigits } digits || digits.AsSpan().ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return null;
        }

        var number = long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
        return number <= MostExact ? number : null;
    }

    /// <summary>Redis's time at the read; the last renewal's when the key's TTL does not tell, or tells a time before it.</summary>
    public DateTimeOffset Now(Session session) => ServerMilliseconds > 0 ? SessionRecordFormat.Time(ServerMilliseconds)
        : TimeToLiveMilliseconds >= 0 && MillisecondsSinceSeen(session) > 0
            ? SessionRecordFormat.Time(session.ExpiresAt.ToUnixTimeMilliseconds() - TimeToLiveMilliseconds)
        : session.LastSeenAt;

    /// <summary>
    /// Milliseconds from the session's last renewal to the read, on Redis's clock, which is derived instead of asked for: the key ends at
    /// min(last seen + sliding, absolute), and that less PTTL is now. Nonsense, but no error, when the key's TTL is not its record's.
    /// </summary>
    public long MillisecondsSinceSeen(Session session) =>
        session.ExpiresAt.ToUnixTimeMilliseconds() - TimeToLiveMilliseconds - session.LastSeenAt.ToUnixTimeMilliseconds();
}
