using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Analytics;

/// <summary>
/// What happened: activities of a session, log-ins of a user, numbers of a day. It decides nothing, and holds neither address nor user agent.
/// Every method throws <see cref="Redis.StorageUnavailableException"/> when Redis does not answer; what records a log-in by itself swallows that.
/// </summary>
public interface IAnalyticsStore
{
    /// <summary>
    /// Records a log-in: the user's total, last log-in, device and history, if the session is still there (the user may have been erased since), and the
    /// day's numbers, in one flush.
    /// </summary>
    /// <returns>Whether anything was recorded of the user.</returns>
    Task<bool> RecordLoginAsync(Session session, CancellationToken cancellationToken);

    /// <summary>Records that a session ended, if the user has a history.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="id">Which session; null: all of the user.</param>
    /// <param name="except">The one that was kept when all ended.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<bool> RecordEndAsync(string userId, SessionId? id, SessionId? except, CancellationToken cancellationToken);

    /// <summary>Records that a session goes on under another id; its activities go with it.</summary>
    Task<bool> RecordRotationAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken);

    /// <summary>Records that another session goes on from one, as a refresh token makes it: no log-in. Activities go with it; the end of the old one ends nothing here.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="from">The session of before, which may be gone already.</param>
    /// <param name="to">The session that goes on.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<bool> RecordContinuationAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken);

    /// <summary>Records an activity of a session that is there.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="id">The session.</param>
    /// <param name="action">What was done, 1 to 64 characters without a colon, for example <c>password.changed</c>.</param>
    /// <param name="detail">More about it; no secret. Cut to <see cref="SessionActivity.MaxDetailBytes"/> bytes of UTF-8.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">Another action, or no session.</exception>
    Task<bool> RecordActivityAsync(string userId, SessionId id, string action, string? detail, CancellationToken cancellationToken);

    /// <summary>The last activities of a session, newest first.</summary>
    Task<IReadOnlyList<SessionActivity>> GetActivitiesAsync(string userId, SessionId id, CancellationToken cancellationToken);

    /// <summary>What is known of a user.</summary>
    Task<UserAnalytics> GetUserAsync(string userId, CancellationToken cancellationToken);

    /// <summary>The numbers of each day from the first to the last, days without any included.</summary>
    /// <exception cref="ArgumentException">The last day is before the first, or more than 400 days are asked for.</exception>
    Task<IReadOnlyList<DayAnalytics>> GetDaysAsync(DateOnly first, DateOnly last, CancellationToken cancellationToken);
}

/// <summary>Something that a session did.</summary>
/// <param name="At">When, on the store's clock.</param>
/// <param name="Action">What.</param>
/// <param name="Detail">More about it; null when nothing was said.</param>
public sealed record SessionActivity(DateTimeOffset At, string Action, string? Detail)
{
    /// <summary>Longest action, in characters.</summary>
    public const int MaxActionLength = 64;

    /// <summary>Longest detail kept, in bytes of UTF-8.</summary>
    public const int MaxDetailBytes = 256;
}

/// <summary>What is known of a user.</summary>
/// <param name="ActiveSessions">Sessions that live now.</param>
/// <param name="TotalLogins">Log-ins since the user was first seen, or last forgotten.</param>
/// <param name="LastLoginAt">The last log-in; null: none known.</param>
/// <param name="Devices">By name, the one seen last first.</param>
/// <param name="PastSessions">Sessions that live no more, the one that began last first.</param>
public sealed record UserAnalytics(
    int ActiveSessions, long TotalLogins, DateTimeOffset? LastLoginAt, IReadOnlyList<SeenDevice> Devices, IReadOnlyList<PastSession> PastSessions);

/// <summary>A device that a user logged in with.</summary>
/// <param name="Name">As the client gave it (<see cref="NewSession.DeviceName"/>).</param>
/// <param name="LastLoginAt">When it last logged in.</param>
public sealed record SeenDevice(string Name, DateTimeOffset LastLoginAt);

/// <summary>A session that lives no more.</summary>
/// <param name="Id">Its last id; not a secret.</param>
/// <param name="StartedAt">When the user logged in.</param>
/// <param name="EndedAt">When it was ended; null: it expired.</param>
/// <param name="DeviceName">Of the device, if it was named.</param>
public sealed record PastSession(SessionId Id, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, string? DeviceName);

/// <summary>The numbers of a day in UTC.</summary>
/// <param name="Day">The day.</param>
/// <param name="Logins">Log-ins.</param>
/// <param name="UniqueUsers">Different users who logged in; in Redis an estimate with a standard error of 0.81 %.</param>
public sealed record DayAnalytics(DateOnly Day, long Logins, long UniqueUsers);
