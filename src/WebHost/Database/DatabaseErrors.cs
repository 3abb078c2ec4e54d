using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Maintenance.WebHost.Database;

/// <summary>What an exception of the database means.</summary>
internal static class DatabaseErrors
{
    /// <summary>The server cannot be reached, is starting or stopping, has no room for another connection, or did not answer in time.</summary>
    public static bool IsUnavailable(Exception? exception)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case PostgresException schema when IsBehind(schema):
                    return true;
                case PostgresException postgres:
                    return postgres.IsTransient || postgres.SqlState.StartsWith("57P", StringComparison.Ordinal) || postgres.SqlState.StartsWith("08", StringComparison.Ordinal);
                case NpgsqlException:
                    return true;
                default:
                    break;
            }
        }

        return false;
    }

    /// <summary>There is no such database, table or column: <c>migrate</c> has to run.</summary>
    public static bool IsBehind(Exception? exception)
    {
        while (exception is not null and not PostgresException)
        {
            exception = exception.InnerException;
        }

        return exception is PostgresException
        {
            SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.InvalidCatalogName,
        };
    }

    /// <summary>A unique index refused the write.</summary>
    public static bool IsDuplicate(DbUpdateException exception) =>
        exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } || exception.InnerException is ArgumentException;
}
