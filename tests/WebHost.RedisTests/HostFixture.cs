using Maintenance.Archive.Migrations;
using Maintenance.Testing;
using Maintenance.WebHost.Database;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Maintenance.WebHost.RedisTests;

/// <summary>A real Redis, a real PostgreSQL with this host's tables, and one host on both, for all journeys.</summary>
public sealed class HostFixture : IAsyncLifetime
{
    private RedisServer? redis;
    private PostgresDatabase? database;
    private HostInstance? host;

    internal RedisServer Redis => redis!;

    internal PostgresDatabase Database => database!;

    internal HostInstance Host => host!;

    internal AuthClient Client => new(Host.Api);

    /// <summary>What a further host of the same system is started with.</summary>
    internal Dictionary<string, string?> Settings => new(StringComparer.Ordinal) { ["REDIS_URL"] = Redis.Url, ["DATABASE_URL"] = Database.ConnectionString };

    public async Task InitializeAsync()
    {
        redis = await RedisServer.StartAsync();
        database = await MigratedDatabaseAsync();
        host = await HostInstance.StartAsync(Settings);
    }

    public async Task DisposeAsync()
    {
        if (host is not null)
        {
            await host.DisposeAsync();
        }

        if (redis is not null)
        {
            await redis.DisposeAsync();
        }
    }

    /// <summary>A new database with the tables.</summary>
    internal static async Task<PostgresDatabase> MigratedDatabaseAsync(PostgresServer? server = null)
    {
        var created = await (server ?? await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(created.ConnectionString);
        await new SchemaMigrator(source, NullLogger.Instance).ApplyAsync([DatabaseMigration.Schema], default);
        return created;
    }
}

[CollectionDefinition(Name)]
public sealed class HostGroup : ICollectionFixture<HostFixture>
{
    public const string Name = "host";
}
