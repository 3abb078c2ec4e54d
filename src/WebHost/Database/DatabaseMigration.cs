using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Maintenance.WebHost.Database;

/// <summary>
/// The verb <c>migrate</c>: applies the ordered SQL scripts beside this file once each, in one transaction under an advisory lock, so that any number may
/// run at once. What was applied stands in <c>maintenance_schema</c> with a checksum; a script that was changed since is refused by name.
/// </summary>
internal static class DatabaseMigration
{
    private const string Set = "webhost";
    private const string Folder = "Database/Migrations/";

    private const int ConnectSeconds = 60;

    // Any number that nobody else uses; the letters of "maintain".
    private const long LockKey = 0x6d61_696e_7461_696e;

    private const string CreateTable = """
        CREATE TABLE IF NOT EXISTS maintenance_schema (
            set_name text NOT NULL,
            script text NOT NULL,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (set_name, script))
        """;

    /// <summary>Runs the verb.</summary>
    /// <returns>0: done, or there was nothing to do; 1: the database refused or did not answer; 2: there is no database to migrate.</returns>
    public static async Task<int> RunAsync(IServiceProvider services, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        var options = services.GetRequiredService<IOptions<DatabaseOptions>>().Value;
        if (!options.UsesPostgres)
        {
            await errors.WriteLineAsync("There is no database to migrate: Database:ConnectionString (or DATABASE_URL) is not set.");
            return 2;
        }

        try
        {
            // A server that has just been started takes longer than a request would wait for it.
            await using var database = NpgsqlDataSource.Create(
                new NpgsqlConnectionStringBuilder(options.ToNpgsql()) { Timeout = ConnectSeconds, Pooling = false }.ConnectionString);
            var applied = await ApplyAsync(database, Scripts(), cancellationToken);
            await output.WriteLineAsync(applied.Count == 0 ? "Nothing to do." : $"Applied {string.Join(", ", applied)}.");
            return 0;
        }
        catch (Exception exception) when (exception is InvalidOperationException or NpgsqlException or TimeoutException)
        {
            await errors.WriteLineAsync($"Nothing was migrated: {exception.Message}");
            return 1;
        }
    }

    /// <summary>Applies what is missing.</summary>
    /// <exception cref="InvalidOperationException">A script was changed after it had been applied.</exception>
    internal static async Task<IReadOnlyList<string>> ApplyAsync(
        NpgsqlDataSource database, IReadOnlyList<(string Name, string Sql)> scripts, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({LockKey})", [], cancellationToken);
        await ExecuteAsync(connection, CreateTable, [], cancellationToken);
        var applied = new List<string>();
        foreach (var (name, sql) in scripts)
        {
            var checksum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql)));
            var known = await ScalarAsync(connection, "SELECT checksum FROM maintenance_schema WHERE set_name = $1 AND script = $2", [Set, name], cancellationToken);
            if (known is null)
            {
                await ExecuteAsync(connection, sql, [], cancellationToken);
                await ExecuteAsync(connection, "INSERT INTO maintenance_schema (set_name, script, checksum) VALUES ($1, $2, $3)", [Set, name, checksum], cancellationToken);
                applied.Add(name);
            }
            else if (known != checksum)
            {
                throw new InvalidOperationException($"{name} was changed after it had been applied to this database. Put its text back and make the change a new script.");
            }
        }

        await transaction.CommitAsync(cancellationToken);
        return applied;
    }

    internal static IReadOnlyList<(string Name, string Sql)> Scripts()
    {
        var assembly = typeof(DatabaseMigration).Assembly;
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                return (name[Folder.Length..], reader.ReadToEnd());
            })];
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, string[] values, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, sql, values);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<string?> ScalarAsync(NpgsqlConnection connection, string sql, string[] values, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, sql, values);
        return (string?)await command.ExecuteScalarAsync(cancellationToken);
    }

    // The SQL is ours: a constant, or an embedded script. Without a timeout: the lock may be another host's for long, and an index takes what it takes.
#pragma warning disable CA2100
    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, string[] values)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = value });
        }

        return command;
    }
#pragma warning restore CA2100
}
