using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Logging;

namespace Maintenance.Storage.Diagnostics;

/// <summary>Every message of Storage. Event ids 1000 to 1999; a session id appears with its first 10 characters at most.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Information, "Connected to Redis at {Endpoint} with client {ClientVersion}.")]
    public static partial void Connected(this ILogger logger, string endpoint, string clientVersion);

    [LoggerMessage(1001, LogLevel.Warning, "No connection to Redis at {Endpoint} yet; trying on.")]
    public static partial void NotConnectedYet(this ILogger logger, string endpoint);

    [LoggerMessage(1002, LogLevel.Warning, "Connection to Redis at {Endpoint} failed: {FailureType}.")]
    public static partial void ConnectionFailed(this ILogger logger, string endpoint, string failureType);

    [LoggerMessage(1003, LogLevel.Information, "Connection to Redis at {Endpoint} restored.")]
    public static partial void ConnectionRestored(this ILogger logger, string endpoint);

    [LoggerMessage(1004, LogLevel.Warning, "Connection to Redis at {Endpoint} replaced: {Reason}.")]
    public static partial void ConnectionReplaced(this ILogger logger, string endpoint, string reason);

    [LoggerMessage(1005, LogLevel.Error, "The configuration was changed to something that cannot be accepted; what held before goes on: {Problem}")]
    public static partial void SettingNotTaken(this ILogger logger, string problem);

    [LoggerMessage(1100, LogLevel.Warning, "Session {Session} could not be renewed: {Reason}. It stays valid until it expires.")]
    public static partial void RenewalFailed(this ILogger logger, string session, string reason);

    [LoggerMessage(1101, LogLevel.Warning, "Key of session {Session} does not hold a session record; access denied.")]
    public static partial void NotASession(this ILogger logger, string session);

    [LoggerMessage(1102, LogLevel.Error, "Session {Session} is a record of format {Version}, and this program reads up to {Known}; update it. Access denied.")]
    public static partial void UnknownRecordVersion(this ILogger logger, string session, int version, int known);

    [LoggerMessage(1300, LogLevel.Warning, "{Scheme}: a session could not be checked, so the request is denied: {Reason}")]
    public static partial void SessionNotChecked(this ILogger logger, string scheme, string reason);

    [LoggerMessage(1301, LogLevel.Debug, "{Scheme}: a session token was denied: {Denial}.")]
    public static partial void SessionDenied(this ILogger logger, string scheme, SessionDenial denial);

    [LoggerMessage(1350, LogLevel.Debug, "The cache is in trouble, and the value comes from its source: {Reason}")]
    public static partial void CacheInTrouble(this ILogger logger, string reason);

    [LoggerMessage(1351, LogLevel.Debug, "A cached value of kind {Kind} has another shape than expected; it comes from its source.")]
    public static partial void CachedValueUnreadable(this ILogger logger, string kind);

    [LoggerMessage(1500, LogLevel.Warning, "Redis is away, and this host answers without it: {Reason}")]
    public static partial void RedisAway(this ILogger logger, string reason);

    [LoggerMessage(1501, LogLevel.Information, "Redis is back, what was journalled is carried out, and this host answers with it.")]
    public static partial void RedisBack(this ILogger logger);

    [LoggerMessage(1502, LogLevel.Information, "Storage mode is {Mode} now, with {RedisShare} % of the users in Redis.")]
    public static partial void StorageModeChosen(this ILogger logger, string mode, double redisShare);

    [LoggerMessage(1503, LogLevel.Information, "Carried out in Redis {Count} journalled revocations; {Left} are left.")]
    public static partial void JournalReplayed(this ILogger logger, int count, int left);

    [LoggerMessage(1504, LogLevel.Error, "Redis refuses a journalled revocation of kind {Kind}; it stays in the journal and is denied on this host: {Reason}")]
    public static partial void JournalEntryRefused(this ILogger logger, string kind, string reason);

    [LoggerMessage(1505, LogLevel.Warning, "Revocations were carried out, but the journal did not let go of them; they are carried out once more after a restart: {Reason}")]
    public static partial void JournalNotAcknowledged(this ILogger logger, string reason);

    [LoggerMessage(1506, LogLevel.Warning, "The journal {Path} ended in {Bytes} bytes that a crash had torn; nobody was told that they were kept, and they are cut off.")]
    public static partial void JournalTorn(this ILogger logger, string path, long bytes);

    [LoggerMessage(1507, LogLevel.Information, "Moved {Moved} sessions from memory to Redis; {Ended} had ended.")]
    public static partial void SessionsMoved(this ILogger logger, int moved, int ended);

    [LoggerMessage(1508, LogLevel.Error, "Session {Session} cannot be moved to Redis and stays in this host's memory: {Reason}")]
    public static partial void SessionNotMoved(this ILogger logger, string session, string reason);

    [LoggerMessage(1509, LogLevel.Error, "Looking whether Redis is back failed; it goes on.")]
    public static partial void WatchFailed(this ILogger logger, Exception exception);

    [LoggerMessage(1510, LogLevel.Warning, "The journal of revocations cannot be read; what another host may have left in it waits: {Reason}")]
    public static partial void SharedJournalNotRead(this ILogger logger, string reason);

    [LoggerMessage(1400, LogLevel.Warning, "A log-in, rotation or log-out happened and could not be recorded: {Reason}")]
    public static partial void NotRecorded(this ILogger logger, string reason);

    [LoggerMessage(1450, LogLevel.Information, "All of user {User} was erased: {Keys} keys of the store, {Items} items of other sources.")]
    public static partial void UserErased(this ILogger logger, string user, long keys, long items);

    [LoggerMessage(1580, LogLevel.Warning, "The archive does not answer; going on without it: {Reason}")]
    public static partial void ArchiveUnavailable(this ILogger logger, string reason);

    [LoggerMessage(1581, LogLevel.Warning, "Session {Session} is in Redis only, because the archive did not take it.")]
    public static partial void SessionNotArchived(this ILogger logger, string session);

    [LoggerMessage(1582, LogLevel.Warning, "Last accesses of {Count} sessions could not be written to the archive and wait for the next time: {Reason}")]
    public static partial void AccessesNotWritten(this ILogger logger, int count, string reason);

    [LoggerMessage(1583, LogLevel.Warning, "{Count} sessions have ended, and their marks in Redis stay for as long as a session can live: {Reason}")]
    public static partial void TombstonesStay(this ILogger logger, int count, string reason);
}
