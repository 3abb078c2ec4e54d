using Microsoft.Extensions.Logging;
using Npgsql;

namespace Maintenance.Archive.Migrations;

/// <summary>
/// Applies ordered SQL scripts once each, under an advisory lock, so that any number of hosts may start it at the same time. All pending scripts
/// of a call are one transaction: all are applied, or none.
/// </summary>
/// <remarks>
/// What was applied stands in the table <c>maintenance_schema</c> with a checksum. A script that was changed since is refused by name, and so is a
/// new one that would have had to run before an applied one. A script that only a newer program knows is left alone.
/// </remarks>
public sealed class SchemaMigrator(NpgsqlDataSource database, ILogger logger)
{
    // Any number that nobody else uses; the letters of "maintain".
    internal const long LockKey = 0x6d61_696e_7461_696e;

    private const string CreateTable = """
        CREATE TABLE IF NOT EXISTS maintenance_schema (
            set_name text NOT NULL,
            script text NOT NULL,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (set_name, script))
        """;

    /// <summary>Applies what is missing.</summary>
    /// <param name="sets">The sets, applied in this order.</param>
    /// <param name="cancellationToken">Ends the wait for the lock or a script; nothing is applied then.</param>
    /// <returns>The scripts applied now, as <c>set/script</c>.</returns>
    /// <exception cref="SchemaMigrationException">A script was changed, came too late, or failed.</exception>
    /// <exception cref="NpgsqlException">The database does not answer, or refuses the log-in.</exception>
    public async Task<IReadOnlyList<string>> ApplyAsync(IReadOnlyList<ScriptSet> sets, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sets);
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        // Of the transaction and not of the session: a pooler between may give every transaction another session.
        await ExecuteAsync(connection, transaction, $"SELECT pg_advisory_xact_lock({LockKey})", cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, transaction, CreateTable, cancellationToken).ConfigureAwait(false);
        List<string> applied = [];
        foreach (var set in sets)
        {
            foreach (var script in Pending(set, await AppliedAsync(connection, transaction, set, cancellationToken).ConfigureAwait(false)))
            {
                await RunAsync(connection, transaction, set, script, cancellationToken).ConfigureAwait(false);
                applied.Add($"{set.Name}/{script.Name}");
            }
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        foreach (var script in applied)
        {
            logger.ScriptApplied(script);
        }

        return applied;
    }

    /// <summary>The scripts that <see cref="ApplyAsync"/> would apply, as <c>set/script</c>. Changes nothing and takes no lock.</summary>
    /// <exception cref="SchemaMigrationException">A script was changed or came too late.</exception>
    /// <exception cref="NpgsqlException">The database does not answer, or refuses the log-in.</exception>
    public async Task<IReadOnlyList<string>> PendingAsync(IReadOnlyList<ScriptSet> sets, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sets);
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var exists = new NpgsqlCommand("SELECT to_regclass('maintenance_schema') IS NOT NULL", connection);
        var known = (bool)(await exists.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
        List<string> pending = [];
        foreach (var set in sets)
        {
            var applied = known ? await AppliedAsync(connection, null, set, cancellationToken).ConfigureAwait(false) : [];
            pending.AddRange(Pending(set, applied).Select(script => $"{set.Name}/{script.Name}"));
        }

        return pending;
    }

    private static List<SchemaScript> Pending(ScriptSet set, Dictionary<string, string> applied)
    {
        var last = applied.Keys.Max(StringComparer.Ordinal);
        List<SchemaScript> pending = [];
        foreach (var script in set.Scripts)
        {
            if (applied.TryGetValue(script.Name, out var checksum))
            {
                if (checksum != script.Checksum)
                {
                    throw new SchemaMigrationException(
                        $"Script {set.Name}/{script.Name} was changed after it had been applied to this database. Put its text back and make the change a new script; nothing was applied.");
                }
            }
            else if (last is not null && StringComparer.Ordinal.Compare(script.Name, last) < 0)
            {
                throw new SchemaMigrationException(
                    $"Script {set.Name}/{script.Name} is new but comes before {last}, which this database has already. Give it a higher number; nothing was applied.");
            }
            else
            {
                pending.Add(script);
            }
        }

        return pending;
    }

    private static async Task<Dictionary<string, string>> AppliedAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, ScriptSet set, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT script, checksum FROM maintenance_schema WHERE set_name = $1", connection, transaction);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = set.Name });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var applied = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            applied.Add(reader.GetString(0), reader.GetString(1));
        }

        return applied;
    }

    private static async Task RunAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, ScriptSet set, SchemaScript script, CancellationToken cancellationToken)
    {
        try
        {
            await ExecuteAsync(connection, transaction, script.Sql, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception)
        {
            throw new SchemaMigrationException($"Script {set.Name}/{script.Name} failed: {exception.MessageText}. Nothing was applied.", exception);
        }

        await using var record = new NpgsqlCommand(
            "INSERT INTO maintenance_schema (set_name, script, checksum) VALUES ($1, $2, $3)", connection, transaction);
        record.Parameters.Add(new NpgsqlParameter<string> { TypedValue = set.Name });
        record.Parameters.Add(new NpgsqlParameter<string> { TypedValue = script.Name });
        record.Parameters.Add(new NpgsqlParameter<string> { TypedValue = script.Checksum });
        await record.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task ExecuteAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string sql, CancellationToken cancellationToken)
    {
        // The SQL is ours: a constant, or an embedded script. Without a timeout: another host may take long with its scripts, and an index on a
        // large table takes what it takes; the token ends it.
#pragma warning disable CA2100
        await using var command = new NpgsqlCommand(sql, connection, transaction) { CommandTimeout = 0 };
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
