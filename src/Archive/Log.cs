using Microsoft.Extensions.Logging;

namespace Maintenance.Archive;

/// <summary>Every message of the archive on PostgreSQL. Event ids 1600 to 1699; never a connection string.</summary>
internal static partial class Log
{
    [LoggerMessage(1600, LogLevel.Information, "Applied schema script {Script}.")]
    public static partial void ScriptApplied(this ILogger logger, string script);
}
