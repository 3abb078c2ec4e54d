using Maintenance.Archive;
using Maintenance.Archive.Migrations;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Maintenance.WebHost.Database;

/// <summary>The verb <c>migrate</c>: brings the tables of users up to date, and those of the archive if there is one. Any number may run it at once.</summary>
internal static class DatabaseMigration
{
    private const int ConnectSeconds = 60;

    /// <summary>The scripts beside this file.</summary>
    public static ScriptSet Schema { get; } = ScriptSet.Embedded("webhost", typeof(DatabaseMigration).Assembly, "Database/Migrations");

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
            var logger = services.GetRequiredService<ILogger<SchemaMigrator>>();
            // A server that has just been started takes longer than a request would wait for it.
            await using var database = NpgsqlDataSource.Create(
                new NpgsqlConnectionStringBuilder(options.ToNpgsql()) { Timeout = ConnectSeconds, Pooling = false }.ConnectionString);
            await SayAsync(await new SchemaMigrator(database, logger).ApplyAsync([Schema], cancellationToken));
            if (services.GetService<ArchiveDatabase>() is { } archive)
            {
                await SayAsync(await archive.MigrateAsync(logger, cancellationToken));
            }

            return 0;
        }
        catch (Exception exception) when (exception is SchemaMigrationException or InvalidOperationException or NpgsqlException or TimeoutException)
        {
            await errors.WriteLineAsync($"Not migrated: {exception.Message}");
            return 1;
        }

        Task SayAsync(IReadOnlyList<string> applied) =>
            output.WriteLineAsync(applied.Count == 0 ? "Nothing to do." : $"Applied {string.Join(", ", applied)}.");
    }
}
