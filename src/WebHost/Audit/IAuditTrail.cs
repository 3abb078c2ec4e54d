namespace Maintenance.WebHost.Audit;

/// <summary>The append-only record of what matters to security: a log line at once, a row soon after.</summary>
internal interface IAuditTrail
{
    /// <summary>Records an event. Never fails and never waits for the database: what it cannot write there stands in the log.</summary>
    void Record(AuditEvent what);

    /// <summary>Logs an event and gives the row, for a caller that writes it with its own change.</summary>
    AuditRecord Prepare(AuditEvent what);
}

internal static class AuditTrailExtensions
{
    /// <summary>Records an event with the request's address and user agent.</summary>
    public static void Record(this IAuditTrail trail, HttpContext context, AuditEvent what)
    {
        var complete = what.From(context);
        trail.Record(complete);
        context.RequestServices.GetRequiredService<Sessions.SessionActivityRecorder>().Record(complete);
    }

    /// <summary>Adds the request's address and user agent.</summary>
    public static AuditEvent From(this AuditEvent what, HttpContext context)
    {
        var agent = context.Request.Headers.UserAgent.ToString();
        return what with
        {
            SessionId = what.SessionId ?? (what.ActorId is null ? context.User.FindFirst("sid")?.Value : null),
            Address = context.Connection.RemoteIpAddress,
            UserAgent = agent.Length == 0 ? null : agent,
        };
    }
}
