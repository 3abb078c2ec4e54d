using Maintenance.Archive;
using Maintenance.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Maintenance.Archive.PostgresTests;

/// <summary>Archives on databases of their own.</summary>
internal static class ArchiveDatabases
{
    /// <summary>An archive's connection to a database, whose schema is brought up to date.</summary>
    public static async Task<ArchiveDatabase> MigratedAsync(string connectionString, TimeSpan? deadline = null)
    {
        var database = Open(connectionString, deadline);
        await database.MigrateAsync(NullLogger.Instance, CancellationToken.None);
        return database;
    }

    /// <summary>The same without a look at the schema.</summary>
    public static ArchiveDatabase Open(string connectionString, TimeSpan? deadline = null) =>
        Open(new PostgresArchiveOptions { ConnectionString = connectionString, Deadline = deadline ?? TimeSpan.FromSeconds(30), BreakerPause = TimeSpan.FromSeconds(1) });

    public static ArchiveDatabase Open(PostgresArchiveOptions options, ILogger<ArchiveDatabase>? log = null) => new(Options.Create(options), TimeProvider.System, log);

    /// <summary>A fresh database with the schema.</summary>
    public static async Task<(PostgresDatabase Database, ArchiveDatabase Archive)> CreateAsync(PostgresServer server, TimeSpan? deadline = null)
    {
        var database = await server.CreateDatabaseAsync();
        return (database, await MigratedAsync(database.ConnectionString, deadline));
    }
}
