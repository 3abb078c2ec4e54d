using System.Net;
using Maintenance.Archive.Migrations;
using Maintenance.Testing;
using Maintenance.WebHost.Database;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Maintenance.WebHost.RedisTests.Database;

public sealed class MigrationTests
{
    [Fact]
    public async Task Migrate_MakesTheTablesOnce_HoweverManyRunIt_AndRefusesAChangedScript()
    {
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        var migrator = new SchemaMigrator(source, NullLogger.Instance);

        var runs = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => migrator.ApplyAsync([DatabaseMigration.Schema], default)));

        runs.Sum(applied => applied.Count).ShouldBe(DatabaseMigration.Schema.Scripts.Count);
        (await database.ScalarAsync<long>("SELECT count(*) FROM users")).ShouldBe(0);
        var changed = new ScriptSet(
            DatabaseMigration.Schema.Name,
            DatabaseMigration.Schema.Scripts.Select(script => KeyValuePair.Create(script.Name, script.Sql + "\nCREATE TABLE more ();")));
        var refusal = await Should.ThrowAsync<SchemaMigrationException>(() => migrator.ApplyAsync([changed], default));
        refusal.Message.ShouldContain(changed.Scripts[0].Name);
        (await database.ScalarAsync<long>("SELECT count(*) FROM pg_tables WHERE tablename = 'more'")).ShouldBe(0);
    }

    [Fact]
    public async Task Host_IsNotReady_WhileTheSchemaIsOlderThanItsVersion()
    {
        await using var redis = await RedisServer.StartAsync();
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        var migrator = new SchemaMigrator(source, NullLogger.Instance);
        var schema = DatabaseMigration.Schema;
        await migrator.ApplyAsync([new ScriptSet(schema.Name, schema.Scripts.SkipLast(1).Select(script => KeyValuePair.Create(script.Name, script.Sql)))], default);
        await using var host = await HostInstance.StartAsync(new(StringComparer.Ordinal) { ["REDIS_URL"] = redis.Url, ["DATABASE_URL"] = database.ConnectionString });
        var ready = new Uri("/healthz/ready", UriKind.Relative);

        (await host.Management.GetAsync(ready)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await host.Management.GetStringAsync(new Uri("/healthz/live", UriKind.Relative))).ShouldNotBeEmpty();
        using var health = await host.Management.GetAsync(new Uri("/health", UriKind.Relative));
        (await health.Content.ReadAsStringAsync()).ShouldContain("migrate");
        var login = await new AuthClient(host.Api).TryLoginAsync(AuthClient.NewAddress());
        (login.Status, login.Code).ShouldBe((HttpStatusCode.ServiceUnavailable, "database_unavailable"));

        await migrator.ApplyAsync([schema], default);

        await Eventually.TrueAsync(async () => (await host.Management.GetAsync(ready)).StatusCode == HttpStatusCode.OK, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Migrate_IsAVerb_ThatSaysWhatItDid()
    {
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["DATABASE_URL"] = database.ConnectionString,
            ["Archive__ConnectionString"] = database.ConnectionString,
            ["Mail__Folder"] = Path.GetTempPath(),
        };
        await using (var first = ChildProcess.StartOurs("WebHost", ["migrate"], settings))
        {
            (await first.WaitForExitAsync(TimeSpan.FromSeconds(90))).ShouldBe(0, first.Tail());
            first.Output.ShouldContain(line => line.Contains("webhost/0001_users.sql", StringComparison.Ordinal));
            first.Output.ShouldContain(line => line.Contains("archive/0001", StringComparison.Ordinal));
        }

        settings["DATABASE_URL"] = "postgres://nobody:word@127.0.0.1:1/auth";
        await using var failed = ChildProcess.StartOurs("WebHost", ["migrate"], settings);
        (await failed.WaitForExitAsync(TimeSpan.FromSeconds(90))).ShouldBe(1, failed.Tail());
        string.Join('\n', failed.Errors).ShouldNotContain("word");
    }
}
