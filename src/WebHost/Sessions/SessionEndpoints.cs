using Maintenance.Storage.Analytics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;

namespace Maintenance.WebHost.Sessions;

/// <summary>A session as its owner sees it. The id is no secret.</summary>
/// <param name="Id">Names it.</param>
/// <param name="Device">As the client named it.</param>
/// <param name="Address">Address that logged in.</param>
/// <param name="UserAgent">User agent that logged in.</param>
/// <param name="FirstSeenAt">When it was begun.</param>
/// <param name="LastSeenAt">When it was last used; lags by up to the renewal interval.</param>
/// <param name="AuthenticatedAt">When its owner last proved who it is.</param>
/// <param name="ExpiresAt">When it ends unless it is used.</param>
/// <param name="Current">Whether it is the one that asks.</param>
public sealed record SessionView(
    string Id, string? Device, string? Address, string? UserAgent, DateTimeOffset FirstSeenAt, DateTimeOffset LastSeenAt, DateTimeOffset AuthenticatedAt, DateTimeOffset ExpiresAt, bool Current)
{
    internal static SessionView Of(Session session, SessionId? current) => new(
        session.Id.Value,
        session.DeviceName,
        session.IpAddress?.ToString(),
        session.UserAgent,
        session.CreatedAt,
        session.LastSeenAt,
        session.AuthenticatedAt,
        session.ExpiresAt,
        session.Id == current);
}

/// <summary>The user's sessions, the one seen last first.</summary>
internal sealed record SessionList(IReadOnlyList<SessionView> Sessions);

/// <summary>Something that a session did.</summary>
internal sealed record ActivityView(DateTimeOffset At, string Action, string? Detail);

/// <summary>A device that was used to sign in.</summary>
internal sealed record DeviceView(string Name, DateTimeOffset LastLoginAt);

/// <summary>A session that lives no more; it ended by itself when there is no end.</summary>
internal sealed record PastSessionView(string Id, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, string? Device);

/// <summary>What a session did, and what is known of its user's log-ins.</summary>
internal sealed record SessionActivityView(
    string SessionId,
    IReadOnlyList<ActivityView> Activities,
    long TotalLogins,
    DateTimeOffset? LastLoginAt,
    IReadOnlyList<DeviceView> Devices,
    IReadOnlyList<PastSessionView> PastSessions);

/// <summary>A user's own sessions.</summary>
internal static class SessionEndpoints
{
    public static IServiceCollection AddSessionLists(this IServiceCollection services) => services.AddSingleton<SessionActivityRecorder>();

    public static IEndpointRouteBuilder MapSessions(this IEndpointRouteBuilder auth)
    {
        var sessions = auth.MapGroup("sessions").RequireAuthorization().RequireRateLimiting(Limits.User);
        sessions.MapGet("", ListAsync).WithSummary("The user's sessions: device, address, first and last seen.");
        sessions.MapGet("activity", ActivityAsync)
            .Produces<SessionActivityView>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithSummary("What a session did (this one, or ?sessionId=), with the user's devices and past sessions.");
        sessions.MapDelete("{id}", EndAsync)
            .Produces(StatusCodes.Status204NoContent)
            .Produces<Accounts.Accepted>(StatusCodes.Status202Accepted)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithSummary("Ends one of the user's sessions; 202 when Redis is away and it is only written down.");
        return auth;
    }

    private static async Task<SessionList> ListAsync(HttpContext context, ISessionStore sessions, CancellationToken stop)
    {
        var current = context.User.SessionId();
        return new SessionList([.. (await sessions.ListAsync(context.User.UserId(), stop)).Select(session => SessionView.Of(session, current))]);
    }

    private static async Task<IResult> EndAsync(
        string id, HttpContext context, ISessionStore sessions, SessionCookies cookies, IAuditTrail audit, CancellationToken stop)
    {
        var user = context.User.UserId();
        // Looked up under the caller's own user: the id of somebody else's session is not found.
        var ended = SessionId.TryParse(id, out var session) ? await sessions.RevokeAsync(user, session, stop) : Revocation.Nothing;
        if (!ended)
        {
            return Problems.NotFound("There is no such session.");
        }

        if (session == context.User.SessionId())
        {
            cookies.Remove(context);
        }

        audit.Record(context, new AuditEvent { Action = AuditActions.SessionEnded, UserId = user, SessionId = session.Value });
        return ended.Outcome == RevocationOutcome.Done ? TypedResults.NoContent() : TypedResults.Accepted((string?)null, Accounts.Accepted.Journalled);
    }

    private static async Task<IResult> ActivityAsync(
        HttpContext context, ISessionStore sessions, IAnalyticsStore analytics, CancellationToken stop, string? sessionId = null)
    {
        var user = context.User.UserId();
        var session = context.User.SessionId();
        if (sessionId is not null && (!SessionId.TryParse(sessionId, out session) || await sessions.GetAsync(user, session, stop) is null))
        {
            return Problems.NotFound("There is no such session.");
        }

        var activities = await analytics.GetActivitiesAsync(user, session, stop);
        var known = await analytics.GetUserAsync(user, stop);
        return TypedResults.Ok(new SessionActivityView(
            session.Value,
            [.. activities.Select(activity => new ActivityView(activity.At, activity.Action, activity.Detail))],
            known.TotalLogins,
            known.LastLoginAt,
            [.. known.Devices.Select(device => new DeviceView(device.Name, device.LastLoginAt))],
            [.. known.PastSessions.Select(past => new PastSessionView(past.Id.Value, past.StartedAt, past.EndedAt, past.DeviceName))]));
    }
}
