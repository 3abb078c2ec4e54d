using System.Net;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Sessions;

/// <summary>A stored session. All times are Redis's clock, in whole milliseconds.</summary>
public sealed record Session
{
    /// <summary>Names the session; not a secret.</summary>
    public required SessionId Id { get; init; }

    /// <summary>Whose session it is.</summary>
    public required string UserId { get; init; }

    /// <summary>When the user logged in. Survives rotation.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When a request last renewed it; lags by up to <see cref="SessionOptions.RenewalInterval"/>.</summary>
    public required DateTimeOffset LastSeenAt { get; init; }

    /// <summary>When the user last proved who it is; equals <see cref="CreatedAt"/> in record format 1.</summary>
    public required DateTimeOffset AuthenticatedAt { get; init; }

    /// <summary>When it ends if no request comes: the sooner of sliding and absolute expiry.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When it ends however busy it is.</summary>
    public required DateTimeOffset AbsoluteExpiresAt { get; init; }

    /// <summary>Sliding expiry that it was created with.</summary>
    public required TimeSpan SlidingExpiration { get; init; }

    /// <summary>The user's generation at creation, microseconds. The session is valid while it equals the user's.</summary>
    public required long Generation { get; init; }

    /// <summary>Address that logged in.</summary>
    public IPAddress? IpAddress { get; init; }

    /// <summary>User agent that logged in, cut to <see cref="NewSession.MaxUserAgentBytes"/>.</summary>
    public string? UserAgent { get; init; }

    /// <summary>Name of the device, as the client gave it.</summary>
    public string? DeviceName { get; init; }

    /// <summary>What the host stored with the session.</summary>
    public IReadOnlyDictionary<string, string> Claims { get; init; } = NewSession.NoClaims;
}

/// <summary>What a log-in knows about the session to create.</summary>
public sealed record NewSession
{
    /// <summary>Bytes of UTF-8 kept of a user agent; the rest is cut off, because browsers decide its length.</summary>
    public const int MaxUserAgentBytes = 512;

    /// <summary>Bytes of UTF-8 that a device name may take.</summary>
    public const int MaxDeviceNameBytes = 128;

    /// <summary>Bytes of UTF-8 that all claims together may take, names and values.</summary>
    public const int MaxClaimsBytes = 4096;

    internal static readonly IReadOnlyDictionary<string, string> NoClaims = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Whose session it will be; 1 to 256 bytes of UTF-8.</summary>
    public required string UserId { get; init; }

    /// <summary>Address of the client.</summary>
    public IPAddress? IpAddress { get; init; }

    /// <summary>User agent of the client; what exceeds <see cref="MaxUserAgentBytes"/> is cut off.</summary>
    public string? UserAgent { get; init; }

    /// <summary>Name of the device.</summary>
    public string? DeviceName { get; init; }

    /// <summary>Claims to store; small, because every validation reads them.</summary>
    public IReadOnlyDictionary<string, string> Claims { get; init; } = NoClaims;

    /// <summary>Sliding expiry instead of the configured one ("remember me"). Whole seconds.</summary>
    public TimeSpan? SlidingExpiration { get; init; }

    /// <summary>Absolute expiry instead of the configured one. Whole seconds.</summary>
    public TimeSpan? AbsoluteExpiration { get; init; }

    /// <summary>
    /// The token to give out, from <see cref="SessionToken.Create"/>, when something must know the session's id before it is stored; null: a new one.
    /// Once only: a token whose session is there is refused. <see cref="IssuedSession.Token"/> says which it got: a session that is born in memory because Redis
    /// failed gets a new one.
    /// </summary>
    public SessionToken? Token { get; init; }

    /// <summary>The session that this one goes on from, when a refresh token makes it: then analytics count no log-in. Not stored with the session.</summary>
    public SessionId? Continues { get; init; }

    /// <summary>The token that a session gets.</summary>
    /// <exception cref="ArgumentException">It is of another user.</exception>
    internal static SessionToken TokenOf(NewSession session, UserReference user) => session.Token is null ? SessionToken.Create(user)
        : session.Token.User == user ? session.Token
        : throw new ArgumentException("Its token was made for another user.", nameof(session));

    internal static ArgumentException Used(NewSession session) =>
        new($"There is a session {session.Token?.Id.ToLogString()} already: a token is used once.", nameof(session));
}

/// <summary>A session just created or rotated, with the token for the client.</summary>
/// <param name="Token">Give it to the client; it cannot be recovered.</param>
/// <param name="Session">What was stored.</param>
/// <param name="EvictedSessions">Older sessions that had to leave because of the cap.</param>
public sealed record IssuedSession(SessionToken Token, Session Session, int EvictedSessions = 0)
{
    /// <summary>Ids of those that had to leave; a store in memory does not tell them.</summary>
    public IReadOnlyList<SessionId> EvictedIds { get; init; } = [];
}

/// <summary>Why a token is not valid.</summary>
public enum SessionDenial
{
    /// <summary>Not denied.</summary>
    None,

    /// <summary>Not a token that this library can have issued.</summary>
    Malformed,

    /// <summary>No such session: never created, expired, revoked, or evicted.</summary>
    NotFound,

    /// <summary>The record is there but its generation is not the user's, or the user's is missing: revoked with all others.</summary>
    Revoked,

    /// <summary>The record cannot be trusted: of another type, torn, of another user, or of a format that this version does not read.</summary>
    Unreadable,
}

/// <summary>The answer to "is this token valid".</summary>
public readonly record struct SessionValidation
{
    private SessionValidation(Session? session, SessionDenial denial)
    {
        Session = session;
        Denial = denial;
    }

    /// <summary>The session; null if denied.</summary>
    public Session? Session { get; }

    /// <summary>Why it was denied.</summary>
    public SessionDenial Denial { get; }

    /// <summary>Whether the token is valid.</summary>
    public bool IsValid => Session is not null;

    internal static SessionValidation Valid(Session session) => new(session, SessionDenial.None);

    internal static SessionValidation Denied(SessionDenial denial) => new(null, denial);
}

/// <summary>What a rotation changes beside the id.</summary>
public sealed record SessionChanges
{
    /// <summary>The user has just proved who it is (step-up, password change): sets <see cref="Session.AuthenticatedAt"/> in record format 2.</summary>
    public bool Reauthenticated { get; init; }

    /// <summary>New claims; null keeps the old ones.</summary>
    public IReadOnlyDictionary<string, string>? Claims { get; init; }
}

/// <summary>How a rotation ended.</summary>
public enum RotationOutcome
{
    /// <summary>The session has a new id and token.</summary>
    Rotated,

    /// <summary>A parallel request rotated it first. The old token still answers for the grace; no new token is given out twice.</summary>
    AlreadyRotated,

    /// <summary>The token was not valid.</summary>
    Denied,
}

/// <summary>The answer to a rotation.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Issued">The new token and session, if rotated.</param>
/// <param name="Denial">Why not, if denied.</param>
public sealed record SessionRotation(RotationOutcome Outcome, IssuedSession? Issued = null, SessionDenial Denial = SessionDenial.None);

/// <summary>What a revoke-all did.</summary>
/// <param name="EndedSessions">Records deleted. Sessions that the index did not know are dead too, by their generation, and not counted.</param>
/// <param name="KeptSession">Whether the session to keep lives on.</param>
public sealed record RevokedSessions(int EndedSessions, bool KeptSession)
{
    /// <summary>
    /// Whether it is done, or journalled because Redis is away. A journalled one keeps the session to keep if it turns out to be valid;
    /// <see cref="KeptSession"/> then says only what this host's memory knows.
    /// </summary>
    public RevocationOutcome Outcome { get; init; }
}
