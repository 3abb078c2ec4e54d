using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Maintenance.WebHost.Database;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Maintenance.WebHost.Audit;

/// <summary>What <c>audit prune</c> is asked to do.</summary>
/// <param name="OlderThan">Rows that are older than this go; at least a day.</param>
/// <param name="DryRun">Only count.</param>
/// <param name="Settings">The rest of the command line: settings of the host.</param>
internal sealed record AuditPrune(TimeSpan OlderThan, bool DryRun, IReadOnlyList<string> Settings);

/// <summary>
/// <c>audit prune --older-than 365.00:00:00</c>: deletes old rows of the audit trail, which grows for ever otherwise. The table is append-only to everybody
/// but its owner, who may take that away for a transaction; a host needs no such right, and should not have it.
/// </summary>
internal static class AuditPruneVerb
{
    public const string Name = "audit";

    public const string Usage = "Usage: audit prune --older-than <d.hh:mm:ss, at least 1.00:00:00> [--dry-run]";

    private const int RowsPerBatch = 1000;
    private const int CommandSeconds = 60;

    // Any number that nothing else locks in this database.
    internal const long LockKey = 0x61756469_7470726e;

    private static readonly TimeSpan Least = TimeSpan.FromDays(1);

    /// <summary>Reads the words behind the verb.</summary>
    public static bool TryRead(IReadOnlyList<string> words, [NotNullWhen(true)] out AuditPrune? prune)
    {
        const string option = "--older-than";
        prune = null;
        TimeSpan? olderThan = null;
        var dryRun = false;
        List<string> settings = [];
        for (var i = 1; i < words.Count; i++)
        {
            var word = words[i];
            if (word == "--dry-run")
            {
                dryRun = true;
            }
            else if (word == option || word.StartsWith($"{option}=", StringComparison.Ordinal))
            {
                var value = word == option ? i + 1 < words.Count ? words[++i] : "" : word[(option.Length + 1)..];
                // A bare number would be days, which not everybody means.
                if (olderThan is not null || !value.Contains(':', StringComparison.Ordinal) || !TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out var time) || time < Least)
                {
                    return false;
                }

                olderThan = time;
            }
            else if (word.StartsWith("--", StringComparison.Ordinal) && word.Contains(':', StringComparison.Ordinal) && word.Contains('=', StringComparison.Ordinal))
            {
                settings.Add(word);
            }
            else
            {
                return false;
            }
        }

        prune = words is ["prune", ..] && olderThan is { } age ? new AuditPrune(age, dryRun, settings) : null;
        return prune is not null;
    }

    /// <summary>Runs it.</summary>
    /// <returns>0 done; 1 the database refused or did not answer, or another one is at it; 2 there is no database.</returns>
    public static async Task<int> RunAsync(IServiceProvider services, AuditPrune prune, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        var options = services.GetRequiredService<IOptions<DatabaseOptions>>().Value;
        if (!options.UsesPostgres)
        {
            await errors.WriteLineAsync("There is no audit trail to prune: Database:ConnectionString (or DATABASE_URL) is not set.");
            return 2;
        }

        try
        {
            await using var database = NpgsqlDataSource.Create(
                new NpgsqlConnectionStringBuilder(options.ToNpgsql()) { Timeout = CommandSeconds, CommandTimeout = CommandSeconds, Pooling = false }.ConnectionString);
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            if (!(bool)(await ScalarAsync(connection, "SELECT pg_try_advisory_lock($1)", cancellationToken, LockKey))!)
            {
                await errors.WriteLineAsync("Not pruned: another audit prune is under way.");
                return 1;
            }

            var before = (DateTime)(await ScalarAsync(connection, "SELECT now() - $1", cancellationToken, prune.OlderThan))!;
            var rows = prune.DryRun
                ? (long)(await ScalarAsync(connection, "SELECT count(*) FROM audit_events WHERE at < $1", cancellationToken, before))!
                : (bool)(await ScalarAsync(connection, "SELECT EXISTS (SELECT FROM audit_events WHERE at < $1)", cancellationToken, before))!
                    ? await DeleteAsync(services, connection, before, cancellationToken)
                    : 0;

            await output.WriteLineAsync($"{rows} rows of before {before:yyyy-MM-dd HH:mm:ss}Z {(prune.DryRun ? "would be deleted" : "deleted")}.");
            return 0;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            await errors.WriteLineAsync($"Not pruned: {exception.MessageText}. Only the database user as whom migrate made the table may.");
            return 1;
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException || DatabaseErrors.IsUnavailable(exception))
        {
            await errors.WriteLineAsync($"Not pruned: {exception.Message}");
            return 1;
        }
    }

    private static async Task<long> DeleteAsync(IServiceProvider services, NpgsqlConnection connection, DateTime before, CancellationToken cancellationToken)
    {
        var clock = services.GetRequiredService<TimeProvider>();
        var deleted = 0L;
        for (var batch = RowsPerBatch; batch == RowsPerBatch;)
        {
            var began = clock.GetTimestamp();
            await using (var transaction = await connection.BeginTransactionAsync(cancellationToken))
            {
                // Waits for rows that are being written, and has later ones wait for this batch; so it neither waits nor lasts long.
                await ScalarAsync(connection, "SET LOCAL lock_timeout = '10s'", cancellationToken);
                await ScalarAsync(connection, "ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only", cancellationToken);
                if (deleted == 0)
                {
                    await TellAsync(services, connection, before, cancellationToken);
                }

                batch = await ExecuteAsync(
                    connection, $"DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE at < $1 ORDER BY at LIMIT {RowsPerBatch})", cancellationToken, before);
                await ScalarAsync(connection, "ALTER TABLE audit_events ENABLE TRIGGER audit_events_append_only", cancellationToken);
                await transaction.CommitAsync(cancellationToken);
            }

            deleted += batch;
            // The database is the log-ins' for as long as it was this one's.
            await Task.Delay(clock.GetElapsedTime(began), clock, cancellationToken);
        }

        return deleted;
    }

    // With the first rows that go, so that the trail says it however this ends.
    private static Task<int> TellAsync(IServiceProvider services, NpgsqlConnection connection, DateTime before, CancellationToken cancellationToken)
    {
        var row = services.GetRequiredService<IAuditTrail>().Prepare(
            new AuditEvent { Action = AuditActions.AuditPruned, Detail = string.Create(CultureInfo.InvariantCulture, $"command line: rows of before {before:yyyy-MM-dd HH:mm:ss}Z") });
        return ExecuteAsync(
            connection, "INSERT INTO audit_events (at, action, succeeded, detail) VALUES (now(), $1, true, $2)", cancellationToken, row.Action, row.Detail!);
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] parameters)
    {
        await using var command = Command(connection, sql, parameters);
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private static async Task<int> ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] parameters)
    {
        await using var command = Command(connection, sql, parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, object[] parameters)
    {
        // Constants of this file.
#pragma warning disable CA2100
        var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        return command;
    }
}
