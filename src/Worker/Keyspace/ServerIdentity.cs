using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.Keyspace;

/// <summary>Tells one life of a server process from another: a cursor or a table of a sweep does not outlive it.</summary>
internal static class ServerIdentity
{
    private const string Field = "run_id:";

    /// <summary>The server's run id; null when it reports none (a managed Redis may refuse INFO).</summary>
    public static async Task<string?> ReadAsync(RedisConnection connection, JobReport report, CancellationToken cancellationToken)
    {
        try
        {
            var reply = await connection.CallAsync(database => database.ExecuteAsync("INFO", "server"), cancellationToken, KeyspaceScan.DeadlineOf(connection));
            foreach (var line in ((string?)reply ?? "").Split('\n'))
            {
                if (line.StartsWith(Field, StringComparison.Ordinal))
                {
                    return line[Field.Length..].Trim();
                }
            }
        }
        catch (RedisServerException)
        {
            // Said below.
        }

        report.NotAvailable("INFO server: run_id");
        return null;
    }

    /// <summary>How many keys the database has; null when the server refuses to say.</summary>
    public static async Task<long?> KeyCountAsync(RedisConnection connection, JobReport report, CancellationToken cancellationToken)
    {
        try
        {
            return (long)await connection.CallAsync(database => database.ExecuteAsync("DBSIZE"), cancellationToken, KeyspaceScan.DeadlineOf(connection));
        }
        catch (RedisServerException)
        {
            report.NotAvailable("DBSIZE");
            return null;
        }
    }
}
