using Maintenance.Storage.Memory;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Sessions;

/// <summary>
/// Sessions of one process, with the semantics of <see cref="RedisSessionStore"/>: for development, and for an outage when that is chosen.
/// Holds at most <see cref="MemoryOptions.MaxEntriesPerKind"/> sessions and then refuses log-ins.
/// </summary>
public sealed class InMemorySessionStore : ISessionStore
{
    private readonly MemoryUsers users;
    private readonly IOptionsMonitor<SessionOptions> options;
    private readonly MemorySessions sessions;

    internal InMemorySessionStore(MemoryUsers users, MemorySessions sessions, IOptionsMonitor<SessionOptions> options)
    {
        this.users = users;
        this.sessions = sessions;
        this.options = options;
    }

    /// <inheritdoc/>
    public Task<IssuedSession> CreateAsync(NewSession session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        cancellationToken.ThrowIfCancellationRequested();
        var current = options.CurrentValue;
        var sliding = Seconds(session.SlidingExpiration ?? current.SlidingExpiration, nameof(session.SlidingExpiration));
        var absolute = Seconds(session.AbsoluteExpiration ?? current.AbsoluteExpiration, nameof(session.AbsoluteExpiration));
        session = ClientDetails.Kept(session, current.ClientDetailsLife);
        var user = UserReference.Of(session.UserId);
        // The Redis store refuses by the same bounds.
        SessionRecordFormat.EncodeBody(session.UserId, session.IpAddress, session.UserAgent, session.DeviceName, session.Claims);
        var token = NewSession.TokenOf(session, user);
        lock (users.Gate(user))
        {
            if (sessions.Holds(user, token.Id))
            {
                throw NewSession.Used(session);
            }

            var now = users.Now;
            var created = new Session
            {
                Id = token.Id,
                UserId = session.UserId,
                CreatedAt = now,
                LastSeenAt = now,
                AuthenticatedAt = now,
                ExpiresAt = now + Min(sliding, absolute),
                AbsoluteExpiresAt = now + absolute,
                SlidingExpiration = sliding,
                Generation = users.GenerationFor(user, Max(current.AbsoluteExpiration, absolute)),
                IpAddress = RecordWriter.Plain(session.IpAddress),
                UserAgent = string.IsNullOrEmpty(session.UserAgent) ? null : RecordWriter.Cut(session.UserAgent, NewSession.MaxUserAgentBytes),
                DeviceName = string.IsNullOrEmpty(session.DeviceName) ? null : session.DeviceName,
                Claims = new Dictionary<string, string>(session.Claims, StringComparer.Ordinal),
            };
            var evicted = sessions.Add(user, created, current.RecordFormat, current.MaxSessionsPerUser);
            return Task.FromResult(new IssuedSession(token, created, evicted));
        }
    }

    /// <inheritdoc/>
    public Task<long?> GetGenerationAsync(string userId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(users.Generation(UserReference.Of(userId)));
    }

    /// <inheritdoc/>
    public Task<SessionValidation> ValidateAsync(string? token, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!SessionToken.TryParse(token, out var parsed))
        {
            return Task.FromResult(SessionValidation.Denied(SessionDenial.Malformed));
        }

        lock (users.Gate(parsed.User))
        {
            var denial = sessions.Find(parsed.User, parsed.Id, out var held);
            if (held is null)
            {
                return Task.FromResult(SessionValidation.Denied(denial));
            }

            var now = users.Now;
            var session = ClientDetails.Hide(held.Session, options.CurrentValue.ClientDetailsLife, now);
            var interval = Min(options.CurrentValue.RenewalInterval, session.SlidingExpiration / 2);
            if (now - session.LastSeenAt >= interval)
            {
                session = session with { LastSeenAt = now, ExpiresAt = Earlier(now + session.SlidingExpiration, session.AbsoluteExpiresAt) };
                sessions.Replace(parsed.User, held with { Session = session });
            }

            return Task.FromResult(SessionValidation.Valid(session));
        }
    }

    /// <inheritdoc/>
    public async Task<Session?> GetAsync(string userId, SessionId id, CancellationToken cancellationToken) =>
        (await ListAsync(userId, cancellationToken).ConfigureAwait(false)).FirstOrDefault(session => session.Id == id);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Session>> ListAsync(string userId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var user = UserReference.Of(userId);
        lock (users.Gate(user))
        {
            return Task.FromResult<IReadOnlyList<Session>>(
            [
                .. sessions.Live(user)
                    .Select(session => ClientDetails.Hide(session, options.CurrentValue.ClientDetailsLife, users.Now))
                    .OrderByDescending(session => session.LastSeenAt),
            ]);
        }
    }

    /// <inheritdoc/>
    public async Task<int> CountAsync(string userId, CancellationToken cancellationToken) =>
        (await ListAsync(userId, cancellationToken).ConfigureAwait(false)).Count;

    /// <inheritdoc/>
    public Task<Revocation> RevokeAsync(string userId, SessionId id, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var user = UserReference.Of(userId);
        lock (users.Gate(user))
        {
            return Task.FromResult(id != default && sessions.End(user, id) ? Revocation.One : Revocation.Nothing);
        }
    }

    /// <inheritdoc/>
    public Task<RevokedSessions> RevokeAllAsync(string userId, SessionId? except, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var user = UserReference.Of(userId);
        lock (users.Gate(user))
        {
            MemorySessions.Held? kept = null;
            if (except is { } id && id != default)
            {
                sessions.Find(user, id, out kept);
            }

            var longest = options.CurrentValue.AbsoluteExpiration;
            var generation = users.Advance(user, kept is null ? longest : Max(longest, kept.Session.AbsoluteExpiresAt - users.Now));
            var ended = sessions.EndAll(user, kept?.Session.Id);
            if (kept is not null && generation is { } current)
            {
                sessions.Replace(user, kept with { Session = kept.Session with { Generation = current } });
                return Task.FromResult(new RevokedSessions(ended, KeptSession: true));
            }

            return Task.FromResult(new RevokedSessions(ended, KeptSession: false));
        }
    }

    /// <inheritdoc/>
    public Task<SessionRotation> RotateAsync(string? token, SessionChanges changes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(changes);
        cancellationToken.ThrowIfCancellationRequested();
        if (!SessionToken.TryParse(token, out var old))
        {
            return Task.FromResult(new SessionRotation(RotationOutcome.Denied, Denial: SessionDenial.Malformed));
        }

        lock (users.Gate(old.User))
        {
            var denial = sessions.Find(old.User, old.Id, out var held);
            if (held is null)
            {
                return Task.FromResult(new SessionRotation(RotationOutcome.Denied, Denial: denial));
            }

            if (held.Session.Id != old.Id)
            {
                return Task.FromResult(new SessionRotation(RotationOutcome.AlreadyRotated));
            }

            var session = ClientDetails.Hide(held.Session, options.CurrentValue.ClientDetailsLife, users.Now);
            var claims = changes.Claims is null ? session.Claims : new Dictionary<string, string>(changes.Claims, StringComparer.Ordinal);
            SessionRecordFormat.EncodeBody(session.UserId, session.IpAddress, session.UserAgent, session.DeviceName, claims);
            var next = SessionToken.Create(old.User);
            var now = users.Now;
            // Format 1 has no place for it; the twin forgets it too, so that a test in memory does not promise what Redis will not keep.
            var format = Math.Max(held.Format, options.CurrentValue.RecordFormat);
            var rotated = session with
            {
                Id = next.Id,
                LastSeenAt = now,
                ExpiresAt = Earlier(now + session.SlidingExpiration, session.AbsoluteExpiresAt),
                AuthenticatedAt = format < 2 ? session.CreatedAt : changes.Reauthenticated ? now : session.AuthenticatedAt,
                Claims = claims,
            };
            users.GenerationFor(old.User, Max(options.CurrentValue.AbsoluteExpiration, session.AbsoluteExpiresAt - now));
            sessions.Rotate(old.User, old.Id, new MemorySessions.Held(rotated, format), options.CurrentValue.RotationGrace);
            return Task.FromResult(new SessionRotation(RotationOutcome.Rotated, new IssuedSession(next, rotated)));
        }
    }

    /// <summary>What it shares with the other in-memory stores.</summary>
    internal MemoryUsers Users => users;

    /// <summary>Whether a record stands under an id. To be called with the user's gate held.</summary>
    internal bool Holds(UserReference user, SessionId id) => sessions.Holds(user, id);

    /// <summary>Forgets a user; how many records there were. To be called with the user's gate held.</summary>
    internal long EraseUser(UserReference user) => sessions.EraseUser(user);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static TimeSpan Seconds(TimeSpan span, string field) =>
        span >= TimeSpan.FromSeconds(1) && span <= TimeSpan.FromDays(400)
            ? TimeSpan.FromSeconds(Math.Ceiling(span.TotalSeconds))
            : throw new ArgumentOutOfRangeException(field, span, "Expected 1 s to 400 days.");
}
