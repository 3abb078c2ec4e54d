using Microsoft.Extensions.Logging;

namespace Maintenance.Archive;

/// <summary>Every message of the archive on PostgreSQL. Event ids 1600 to 1699; never a connection string.</summary>
internal static partial class Log
{
    [LoggerMessage(1600, LogLevel.Information, "Applied schema script {Script}.")]
    public static partial void ScriptApplied(this ILogger logger, string script);

    [LoggerMessage(1601, LogLevel.Warning, "The archive at {Place} is away: calls fail at once, and one tries again every {PauseSeconds} s. {Reason}")]
    public static partial void ArchiveAway(this ILogger logger, string place, double pauseSeconds, string reason);

    [LoggerMessage(1602, LogLevel.Information, "The archive at {Place} answers again.")]
    public static partial void ArchiveBack(this ILogger logger, string place);
}
