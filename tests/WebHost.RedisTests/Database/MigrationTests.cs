using Maintenance.Testing;
using Maintenance.WebHost.Database;
using Npgsql;

namespace Maintenance.WebHost.RedisTests.Database;

public sealed class MigrationTests
{
    [Fact]
    public async Task Migrate_MakesTheTablesOnce_HoweverManyRunIt_AndRefusesAChangedScript()
    {
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        var scripts = DatabaseMigration.Scripts();
        scripts.ShouldNotBeEmpty();

        var runs = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => DatabaseMigration.ApplyAsync(source, scripts, default)));

        runs.Sum(applied => applied.Count).ShouldBe(scripts.Count);
        (await database.ScalarAsync<long>("SELECT count(*) FROM users")).ShouldBe(0);
        var changed = scripts.Select(script => (script.Name, script.Sql + "\nCREATE TABLE more ();")).ToList();
        var refusal = await Should.ThrowAsync<InvalidOperationException>(() => DatabaseMigration.ApplyAsync(source, changed, default));
        refusal.Message.ShouldContain(scripts[0].Name);
        (await database.ScalarAsync<long>("SELECT count(*) FROM pg_tables WHERE tablename = 'more'")).ShouldBe(0);
    }

    [Fact]
    public async Task Migrate_IsAVerb_ThatSaysWhatItDid()
    {
        var database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["DATABASE_URL"] = database.ConnectionString, ["Mail__Folder"] = Path.GetTempPath() };
        await using (var first = ChildProcess.StartOurs("WebHost", ["migrate"], settings))
        {
            (await first.WaitForExitAsync(TimeSpan.FromSeconds(90))).ShouldBe(0, first.Tail());
            first.Output.ShouldContain(line => line.Contains("0001_users.sql", StringComparison.Ordinal));
        }

        settings["DATABASE_URL"] = "postgres://nobody:word@127.0.0.1:1/auth";
        await using var failed = ChildProcess.StartOurs("WebHost", ["migrate"], settings);
        (await failed.WaitForExitAsync(TimeSpan.FromSeconds(90))).ShouldBe(1, failed.Tail());
        string.Join('\n', failed.Errors).ShouldNotContain("word");
    }
}
