using System.Globalization;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Maintenance.Storage.Sessions;

/// <summary>Reads records and decides whether they are valid. Plain commands, no script: this is the hot path.</summary>
internal sealed class SessionReader(RedisConnection connection, RedisKeys keys, ILogger logger)
{
    public bool CheckGeneration { get; init; } = true;

    public int NewestKnownFormat { get; init; } = SessionRecordFormat.Newest;

    /// <summary>Reads and judges one record; an alias is followed once.</summary>
    public async Task<(SessionValidation Validation, SessionRead Read)> ReadValidAsync(
        UserReference user, SessionId id, bool followAlias, CancellationToken cancellationToken)
    {
        var read = (await ReadAsync(user, [id], withLife: true, cancellationToken).ConfigureAwait(false))[0];
        var validation = Judge(user, id, read);
        if (validation.IsValid || !followAlias || !IsAlias(read, out var generation, out var target) || generation != read.GenerationNumber)
        {
            return (validation, read);
        }

        read = (await ReadAsync(user, [target], withLife: true, cancellationToken).ConfigureAwait(false))[0];
        return (Judge(user, target, read), read);
    }

    /// <summary>
    /// One flush. Records and generation come by one MGET: it is atomic, so a revoke-all that keeps one session cannot be seen half done,
    /// and it answers nil instead of an error for a key of another type.
    /// </summary>
    public Task<SessionRead[]> ReadAsync(UserReference user, List<SessionId> ids, bool withLife, CancellationToken cancellationToken) =>
        connection.CallAsync(database => FlushAsync(database, user, ids, withLife), cancellationToken);

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
            : SessionValidation.Valid(session);
    }

    private async Task<SessionRead[]> FlushAsync(IDatabase database, UserReference user, List<SessionId> ids, bool withLife)
    {
        var names = new RedisKey[ids.Count + 1];
        for (var i = 0; i < ids.Count; i++)
        {
            names[i] = keys.Session(user, ids[i]);
        }

        names[ids.Count] = keys.Generation(user);
        var batch = database.CreateBatch();
        var values = batch.StringGetAsync(names);
        var lives = withLife ? ids.Select((_, i) => batch.ExecuteAsync("PTTL", names[i])).ToArray() : [];
        batch.Execute();
        var records = await values.ConfigureAwait(false);
        await Task.WhenAll(lives).ConfigureAwait(false);
        var reads = new SessionRead[ids.Count];
        for (var i = 0; i < ids.Count; i++)
        {
            reads[i] = new SessionRead((byte[]?)records[i], records[ids.Count], withLife ? (long)lives[i].Result : 0);
        }

        return reads;
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

/// <summary>What one flush of plain reads brought: a record, the user's generation and the key's remaining life.</summary>
internal readonly record struct SessionRead(byte[]? Record, RedisValue Generation, long TimeToLiveMilliseconds)
{
    /// <summary>The generation, or null when it is missing or unreadable; both deny.</summary>
    public long? GenerationNumber =>
        long.TryParse((string?)Generation, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>
    /// Redis's clock at the read, derived instead of asked for: the key ends at min(last seen + sliding, absolute), and that less PTTL is now.
    /// </summary>
    public DateTimeOffset ServerTime(Session session) =>
        session.ExpiresAt - TimeSpan.FromMilliseconds(TimeToLiveMilliseconds);
}
