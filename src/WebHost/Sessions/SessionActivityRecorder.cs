using Maintenance.Storage.Analytics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Audit;
using StackExchange.Redis;

namespace Maintenance.WebHost.Sessions;

/// <summary>Shows a user what his sessions did: what is audited of a session is also its activity. Behind the request; what cannot be recorded fails nothing.</summary>
internal sealed class SessionActivityRecorder(IAnalyticsStore analytics, ILogger<SessionActivityRecorder> logger)
{
    /// <summary>Records an event of a session that lives.</summary>
    public void Record(AuditEvent what)
    {
        if (what is { UserId: { } user, Succeeded: true, ActorId: null } && SessionId.TryParse(what.SessionId, out var session))
        {
            _ = RecordAsync(user, session, what);
        }
    }

    private async Task RecordAsync(string user, SessionId session, AuditEvent what)
    {
        try
        {
            // Redis's own deadline ends it.
            await analytics.RecordActivityAsync(user, session, what.Action, what.Detail, CancellationToken.None);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or RedisServerException or ArgumentException)
        {
            logger.ActivityNotRecorded(what.Action, exception.Message);
        }
    }
}
