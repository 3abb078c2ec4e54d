using System.Net;

namespace Maintenance.WebHost;

/// <summary>Every message of the web host. Event ids 3000 to 3999; no secret and no e-mail address.</summary>
internal static partial class Log
{
    [LoggerMessage(3000, LogLevel.Error, "{Method} {Endpoint} failed.")]
    public static partial void RequestFailed(this ILogger logger, Exception exception, string method, string endpoint);

    [LoggerMessage(3001, LogLevel.Warning, "{Path} answered 503: {Error}: {Reason}")]
    public static partial void RequestUnavailable(this ILogger logger, string path, string error, string reason);

    [LoggerMessage(3002, LogLevel.Warning, "Users are kept in this process's memory only: they are gone at its end, and no other host sees them.")]
    public static partial void UsersInMemory(this ILogger logger);

    [LoggerMessage(3100, LogLevel.Information, "Audit {Action} {Outcome} user {UserId} actor {ActorId} session {SessionId} from {Address}: {Detail}")]
    public static partial void Audit(
        this ILogger logger, string action, string outcome, string? userId, string? actorId, string? sessionId, IPAddress? address, string? detail);

    [LoggerMessage(3101, LogLevel.Error, "The audit queue is full; the row of {Action} is lost, this log has the event.")]
    public static partial void AuditRowLost(this ILogger logger, string action);

    [LoggerMessage(3102, LogLevel.Error, "Audit rows cannot be written and wait: {Reason}")]
    public static partial void AuditNotWritten(this ILogger logger, string reason);

    [LoggerMessage(3103, LogLevel.Information, "Audit rows are written again.")]
    public static partial void AuditWrittenAgain(this ILogger logger);

    [LoggerMessage(3104, LogLevel.Error, "The database refuses the audit row of {Action} ({Reason}); this log has the event.")]
    public static partial void AuditRowRefused(this ILogger logger, string action, string reason);

    [LoggerMessage(3105, LogLevel.Error, "The host ends while the database is away: {Rows} audit rows are not written; this log has the events.")]
    public static partial void AuditRowsLeft(this ILogger logger, int rows);

    [LoggerMessage(3200, LogLevel.Warning, "Mail {Kind} could not be sent and is tried again in {Pause}: {Reason}")]
    public static partial void MailNotSent(this ILogger logger, string kind, string reason, TimeSpan pause);

    [LoggerMessage(3201, LogLevel.Information, "Mail {Kind} was written to {File}.")]
    public static partial void MailWritten(this ILogger logger, string kind, string file);

    [LoggerMessage(3202, LogLevel.Error, "Mail {Kind} is dropped: the queue is full, or the host ends.")]
    public static partial void MailDropped(this ILogger logger, string kind);

    [LoggerMessage(3203, LogLevel.Error, "Mail {Kind} is refused for good: {Reason}")]
    public static partial void MailRefused(this ILogger logger, string kind, string reason);

    [LoggerMessage(3204, LogLevel.Error, "Mail {Kind} is given up after {Tries} tries: {Reason}")]
    public static partial void MailGivenUp(this ILogger logger, string kind, int tries, string reason);

    [LoggerMessage(3300, LogLevel.Warning, "The CAPTCHA service could not be asked ({Reason}); the log-in is refused.")]
    public static partial void CaptchaNotChecked(this ILogger logger, string reason);

    [LoggerMessage(3301, LogLevel.Warning, "The device of a log-in could not be remembered, because the ring of keys cannot be used: {Reason}")]
    public static partial void DeviceNotRemembered(this ILogger logger, string reason);

    [LoggerMessage(3400, LogLevel.Warning, "Sign-in at {Provider} failed, {Error}: {Reason}")]
    public static partial void ExternalSignInFailed(this ILogger logger, string provider, ExternalSignIn.ExternalSignInError error, string reason);

    [LoggerMessage(3401, LogLevel.Warning, "The cached profile of a changed user could not be forgotten everywhere; other hosts may show the old one until its life ends: {Reason}")]
    public static partial void ProfileNotInvalidated(this ILogger logger, string reason);

    [LoggerMessage(3402, LogLevel.Debug, "The activity {Action} of a session could not be recorded: {Reason}")]
    public static partial void ActivityNotRecorded(this ILogger logger, string action, string reason);
}
