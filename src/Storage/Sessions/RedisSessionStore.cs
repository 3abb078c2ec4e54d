using System.Globalization;
using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.Sessions;

/// <summary>
/// Sessions in Redis. Every change of two keys is one script on Redis's clock; a validation is three plain reads in one flush.
/// </summary>
public sealed class RedisSessionStore : ISessionStore
{
    // More than any cap allows; the rest of an index that something else inflated is dead by its generation.
    private const int MostRecordsPerRevokeAll = 10_000;

    // The highest cap that the options allow.
    private const int MostListed = 10_000;

    private readonly RedisConnection connection;
    private readonly RedisKeys keys;
    private readonly IOptionsMonitor<SessionOptions> options;
    private readonly ILogger logger;
    private readonly SessionScripts scripts;
    private readonly SessionReader reader;

    /// <summary>Creates the store.</summary>
    public RedisSessionStore(
        RedisConnection connection, RedisKeys keys, IOptionsMonitor<SessionOptions> options, ILogger<RedisSessionStore> logger)
        : this(connection, keys, options, logger, SessionScripts.Default)
    {
    }

    internal RedisSessionStore(
        RedisConnection connection, RedisKeys keys, IOptionsMonitor<SessionOptions> options, ILogger logger, SessionScripts scripts)
    {
        this.connection = connection;
        this.keys = keys;
        this.options = options;
        this.logger = logger;
        this.scripts = scripts;
        reader = new SessionReader(connection, keys, logger, () => options.CurrentValue.ClientDetailsLife) { CheckGeneration = scripts.CheckGeneration, NewestKnownFormat = scripts.NewestKnownFormat };
    }

    /// <summary>Whether an archive could bring back what ends here. Then what a script ends leaves a tombstone, by itself and at once.</summary>
    internal bool HasArchive { get; init; }

    /// <inheritdoc/>
    public async Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        var current = options.CurrentValue;
        var sliding = Seconds(session.SlidingExpiration ?? current.SlidingExpiration, nameof(session.SlidingExpiration));
        var absolute = Seconds(session.AbsoluteExpiration ?? current.AbsoluteExpiration, nameof(session.AbsoluteExpiration));
        session = ClientDetails.Kept(session, current.ClientDetailsLife);
        var user = UserReference.Of(session.UserId);
        var userAgent = string.IsNullOrEmpty(session.UserAgent) ? null : RecordWriter.Cut(session.UserAgent, NewSession.MaxUserAgentBytes);
        var (flags, body) = SessionRecordFormat.EncodeBody(session.UserId, session.IpAddress, userAgent, session.DeviceName, session.Claims);
        var token = NewSession.TokenOf(session, user);
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            scripts.Create,
            [keys.Session(user, token.Id), keys.SessionIndex(user), keys.Generation(user), keys.RefreshIndex(user), keys.ArchiveFence(user)],
            [
                current.RecordFormat, (int)flags, sliding, absolute, Longest(current, absolute), current.MaxSessionsPerUser,
                token.Id.Value, keys.SessionsOf(user), body, keys.RefreshFamiliesOf(user), keys.SessionTombstonesOf(user), TombstoneLife,
            ],
            cancellationToken).ConfigureAwait(false));
        var created = (long)reply[0] >= 0 ? SessionRecordFormat.Time((long)reply[0]) : throw NewSession.Used(session);
        return new IssuedSession(
            token,
            new Session
            {
                Id = token.Id,
                UserId = session.UserId,
                CreatedAt = created,
                LastSeenAt = created,
                AuthenticatedAt = created,
                ExpiresAt = SessionRecordFormat.Time((long)reply[1]),
                AbsoluteExpiresAt = SessionRecordFormat.Time((long)reply[2]),
                SlidingExpiration = TimeSpan.FromSeconds(sliding),
                Generation = (long)reply[3],
                IpAddress = RecordWriter.Plain(session.IpAddress),
                UserAgent = userAgent,
                DeviceName = string.IsNullOrEmpty(session.DeviceName) ? null : session.DeviceName,
                Claims = session.Claims,
            },
            (int)reply[4])
        {
            EvictedIds = Ids(reply[5]),
        };
    }

    /// <inheritdoc/>
    public Task<long?> GetGenerationAsync(string userId, CancellationToken cancellationToken) => reader.GenerationAsync(UserReference.Of(userId), cancellationToken);

    /// <inheritdoc/>
    public async Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken)
    {
        if (!SessionToken.TryParse(token, out var parsed))
        {
            return SessionValidation.Denied(SessionDenial.Malformed);
        }

        var (validation, read) = await reader.ReadValidAsync(parsed.User, parsed.Id, cancellationToken).ConfigureAwait(false);
        if (validation.Session is not { } session)
        {
            return validation;
        }

        var sinceSeen = read.MillisecondsSinceSeen(session);
        // A session that lives shorter than the interval would end between two renewals.
        var interval = Math.Min(options.CurrentValue.RenewalInterval.TotalMilliseconds, session.SlidingExpiration.TotalMilliseconds / 2);
        // A key without a TTL, or with a longer one than its record allows, was damaged: only the script, on Redis's clock, can say whether
        // the session is still alive, and it mends the TTL as well.
        var inDoubt = read.TimeToLiveMilliseconds < 0 || sinceSeen < -1000;
        return inDoubt || interval == 0 || sinceSeen >= interval
            ? await RenewAsync(parsed.User, session, inDoubt, cancellationToken).ConfigureAwait(false)
            : validation;
    }

    /// <inheritdoc/>
    public async Task<Session?> GetAsync(string userId, SessionId id, CancellationToken cancellationToken)
    {
        var live = await reader.ReadLiveAsync(UserReference.Of(userId), id == default ? [] : [id], cancellationToken).ConfigureAwait(false);
        return live.Count > 0 ? live[0] : null;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Session>> ListAsync(string userId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        var members = await connection.CallAsync(
            database => database.SortedSetRangeByRankAsync(keys.SessionIndex(user), 0, MostListed - 1, Order.Descending), cancellationToken).ConfigureAwait(false);
        var ids = new List<SessionId>(members.Length);
        foreach (var member in members)
        {
            if (SessionId.TryParse((string?)member, out var id))
            {
                ids.Add(id);
            }
        }

        var live = await reader.ReadLiveAsync(user, ids, cancellationToken).ConfigureAwait(false);
        return [.. live.OrderByDescending(session => session.LastSeenAt)];
    }

    /// <inheritdoc/>
    public async Task<int> CountAsync(string userId, CancellationToken cancellationToken) =>
        (await ListAsync(userId, cancellationToken).ConfigureAwait(false)).Count;

    /// <inheritdoc/>
    public async Task<Revocation> RevokeAsync(string userId, SessionId id, CancellationToken cancellationToken)
    {
        return id == default ? Revocation.Nothing : (await EndAsync(UserReference.Of(userId), id, cancellationToken).ConfigureAwait(false)).Revoked;
    }

    /// <summary>The same, and which ids it met on the way: those that an archive must be told of.</summary>
    internal async Task<(Revocation Revoked, IReadOnlyList<SessionId> Ids)> EndAsync(UserReference user, SessionId id, CancellationToken cancellationToken)
    {
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            scripts.Revoke,
            [keys.Session(user, id), keys.SessionIndex(user), keys.RefreshIndex(user), keys.ArchiveFence(user)],
            [id.Value, keys.SessionsOf(user), keys.RefreshFamiliesOf(user), keys.SessionTombstonesOf(user), TombstoneLife],
            cancellationToken).ConfigureAwait(false));
        return (int)reply[0] >= 0
            ? (new Revocation((int)reply[0]), Ids(reply[1]))
            : throw new UnsupportedRecordException($"Session {id.ToLogString()} is stored in a format newer than {SessionRecordFormat.Newest}; update this program. It was left alone: end all of the user's sessions instead.");
    }

    /// <summary>An id, and those that have replaced it and that it still leads to.</summary>
    internal async Task<IReadOnlyList<SessionId>> ChainAsync(UserReference user, SessionId id, CancellationToken cancellationToken) => Ids(
        await connection.EvaluateAsync(scripts.Chain, [keys.Session(user, id)], [id.Value, keys.SessionsOf(user)], cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public async Task<RevokedSessions> RevokeAllAsync(string userId, SessionId? except, CancellationToken cancellationToken) =>
        (await RevokeAllAsync(userId, except, atLeast: null, cancellationToken).ConfigureAwait(false)).Revoked;

    /// <summary>The same with a new generation of at least this number.</summary>
    /// <returns>What it did, and the new generation; null if a full Redis refused it.</returns>
    internal async Task<(RevokedSessions Revoked, long? Generation)> RevokeAllAsync(
        string userId, SessionId? except, long? atLeast, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        var current = options.CurrentValue;
        RedisValue[] arguments = [keys.SessionsOf(user), except?.Value ?? "", Longest(current, 0), MostRecordsPerRevokeAll];
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            scripts.RevokeAll,
            [keys.Generation(user), keys.SessionIndex(user)],
            atLeast is { } generation ? [.. arguments, generation] : arguments,
            cancellationToken).ConfigureAwait(false));
        var set = (string?)reply[2];
        return (new RevokedSessions((int)reply[0], (int)reply[1] == 1), string.IsNullOrEmpty(set) ? null : long.Parse(set, NumberStyles.None, CultureInfo.InvariantCulture));
    }

    /// <inheritdoc/>
    public async Task<SessionRotation> RotateAsync(string? token, SessionChanges changes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(changes);
        if (!SessionToken.TryParse(token, out var old))
        {
            return new SessionRotation(RotationOutcome.Denied, Denial: SessionDenial.Malformed);
        }

        // Read first: the record must be this user's, and new claims need the fields beside them.
        var (validation, _) = await reader.ReadValidAsync(old.User, old.Id, cancellationToken).ConfigureAwait(false);
        if (validation.Session is not { } session)
        {
            return new SessionRotation(RotationOutcome.Denied, Denial: validation.Denial);
        }

        if (session.Id != old.Id)
        {
            return new SessionRotation(RotationOutcome.AlreadyRotated);
        }

        var current = options.CurrentValue;
        var (flags, body) = changes.Claims is null
            ? ((byte)0, [])
            : SessionRecordFormat.EncodeBody(session.UserId, session.IpAddress, session.UserAgent, session.DeviceName, changes.Claims);
        var next = SessionToken.Create(old.User);
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            scripts.Rotate,
            [
                keys.Session(old.User, old.Id), keys.Session(old.User, next.Id), keys.SessionIndex(old.User), keys.Generation(old.User),
                keys.RefreshIndex(old.User), keys.ArchiveFence(old.User),
            ],
            [
                old.Id.Value, next.Id.Value, (long)Math.Ceiling(current.RotationGrace.TotalMilliseconds), Longest(current, 0),
                changes.Reauthenticated ? 1 : 0, current.RecordFormat, (int)flags, body, keys.RefreshFamiliesOf(old.User),
                keys.SessionTombstonesOf(old.User), TombstoneLife,
            ],
            cancellationToken).ConfigureAwait(false));
        switch ((string?)reply[0])
        {
            case "rotated":
                var rotated = SessionRecordFormat.Decode(next.Id, (byte[])reply[6]!)
                    ?? throw new InvalidOperationException("The rotation script returned a record that cannot be read.");
                return new SessionRotation(RotationOutcome.Rotated, new IssuedSession(next, rotated));
            case "alias":
                return new SessionRotation(RotationOutcome.AlreadyRotated);
            default:
                return new SessionRotation(RotationOutcome.Denied, Denial: Denial((string?)reply[0]));
        }
    }

    private async Task<SessionValidation> RenewAsync(UserReference user, Session session, bool inDoubt, CancellationToken cancellationToken)
    {
        try
        {
            var reply = ClientCompat.Items(await connection.EvaluateAsync(
                scripts.Renew,
                [keys.Session(user, session.Id), keys.SessionIndex(user), keys.Generation(user)],
                [session.Id.Value, ClientDetails.Milliseconds(options.CurrentValue.ClientDetailsLife)],
                cancellationToken).ConfigureAwait(false));
            return (string?)reply[0] switch
            {
                "renewed" => SessionValidation.Valid(session with
                {
                    LastSeenAt = SessionRecordFormat.Time((long)reply[1]),
                    ExpiresAt = SessionRecordFormat.Time((long)reply[2]),
                }),
                // Rotated between the reads and here, which has renewed it: the old id answers for its successor.
                "alias" => (await reader.ReadValidAsync(user, session.Id, cancellationToken).ConfigureAwait(false)).Validation,
                var denial => SessionValidation.Denied(Denial(denial)),
            };
        }
        catch (Exception exception) when (exception is StorageUnavailableException or RedisServerException && !inDoubt)
        {
            // The reads said that it is valid; a write that fails (Redis full, failover) takes nothing away from that.
            logger.RenewalFailed(session.Id.ToLogString(), exception.Message);
            return SessionValidation.Valid(session);
        }
    }

    // Milliseconds; 0: without an archive nothing could bring a session back.
    private long TombstoneLife => HasArchive ? Longest(options.CurrentValue, 0) : 0;

    // Damaged data may name what is no id; no archive knows that either.
    private static IReadOnlyList<SessionId> Ids(RedisResult reply) =>
        [.. ClientCompat.Items(reply).Select(item => SessionId.TryParse((string?)item, out var id) ? id : default).Where(id => id != default)];

    private static SessionDenial Denial(string? result) => result switch
    {
        "revoked" => SessionDenial.Revoked,
        "foreign" or "version" => SessionDenial.Unreadable,
        _ => SessionDenial.NotFound,
    };

    private static long Longest(SessionOptions current, long absoluteSeconds) =>
        Math.Max((long)Math.Ceiling(current.AbsoluteExpiration.TotalMilliseconds), absoluteSeconds * 1000);

    private static long Seconds(TimeSpan span, string field) =>
        span >= TimeSpan.FromSeconds(1) && span <= TimeSpan.FromDays(400)
            ? (long)Math.Ceiling(span.TotalSeconds)
            : throw new ArgumentOutOfRangeException(field, span, "Expected 1 s to 400 days.");
}
