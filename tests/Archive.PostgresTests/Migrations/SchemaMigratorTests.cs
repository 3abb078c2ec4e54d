using Maintenance.Archive.Migrations;
using Maintenance.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Maintenance.Archive.PostgresTests.Migrations;

public sealed class SchemaMigratorTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private const string First = "CREATE TABLE things (id int PRIMARY KEY); INSERT INTO things VALUES (1)";

    [Fact]
    public async Task Apply_RunsEachScriptOnceInOrder_AndSetsStandBesideEachOther()
    {
        var database = await postgres.Server.CreateDatabaseAsync();
        ScriptSet things = Set("things", ("0002_more.sql", "INSERT INTO things SELECT max(id) + 1 FROM things"), ("0001_things.sql", First));
        ScriptSet others = Set("others", ("0001_others.sql", "CREATE TABLE others (id int)"));

        (await PendingAsync(database, things, others)).ShouldBe(["things/0001_things.sql", "things/0002_more.sql", "others/0001_others.sql"]);
        (await ApplyAsync(database, things, others)).ShouldBe(["things/0001_things.sql", "things/0002_more.sql", "others/0001_others.sql"]);
        (await ApplyAsync(database, things, others)).ShouldBeEmpty();
        (await PendingAsync(database, things, others)).ShouldBeEmpty();

        (await database.ListAsync<int>("SELECT id FROM things ORDER BY id")).ShouldBe([1, 2]);
        (await database.ListAsync<string>("SELECT set_name || '/' || script FROM maintenance_schema ORDER BY 1"))
            .ShouldBe(["others/0001_others.sql", "things/0001_things.sql", "things/0002_more.sql"]);
    }

    [Fact]
    public async Task Apply_RunsEachScriptOnce_WhenManyHostsStartAtTheSameTime()
    {
        var database = await postgres.Server.CreateDatabaseAsync();
        var things = Set("things", ("0001_things.sql", First), ("0002_slow.sql", "SELECT pg_sleep(0.2); INSERT INTO things VALUES (2)"));

        var applied = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ApplyAsync(database, things)));

        applied.Count(scripts => scripts.Count == 2).ShouldBe(1);
        applied.Count(scripts => scripts.Count == 0).ShouldBe(7);
        (await database.ListAsync<int>("SELECT id FROM things ORDER BY id")).ShouldBe([1, 2]);
    }

    [Fact]
    public async Task Apply_RefusesAChangedScriptByName_AndAppliesNothing()
    {
        var database = await postgres.Server.CreateDatabaseAsync();
        await ApplyAsync(database, Set("things", ("0001_things.sql", First)));
        var changed = Set("things", ("0001_things.sql", First + ", (7)"), ("0002_more.sql", "INSERT INTO things VALUES (2)"));

        var failure = await Should.ThrowAsync<SchemaMigrationException>(() => ApplyAsync(database, changed));
        await Should.ThrowAsync<SchemaMigrationException>(() => PendingAsync(database, changed));

        failure.Message.ShouldContain("things/0001_things.sql");
        (await database.ListAsync<int>("SELECT id FROM things")).ShouldBe([1]);
    }

    [Fact]
    public async Task Apply_TakesOtherLineEndingsForTheSameScript()
    {
        var database = await postgres.Server.CreateDatabaseAsync();
        await ApplyAsync(database, Set("things", ("0001_things.sql", "CREATE TABLE things (\n  id int)")));

        (await ApplyAsync(database, Set("things", ("0001_things.sql", "CREATE TABLE things (\r\n  id int)")))).ShouldBeEmpty();
    }

    [Fact]
    public async Task Apply_RefusesANewScriptBeforeAnAppliedOne_AndLeavesANewerProgramsAlone()
    {
        var database = await postgres.Server.CreateDatabaseAsync();
        await ApplyAsync(database, Set("things", ("0001_things.sql", First), ("0003_newer.sql", "INSERT INTO things VALUES (3)")));

        (await ApplyAsync(database, Set("things", ("0001_things.sql", First)))).ShouldBeEmpty();
        var failure = await Should.ThrowAsync<SchemaMigrationException>(
            () => ApplyAsync(database, Set("things", ("0001_things.sql", First), ("0002_late.sql", "DELETE FROM things"))));

        failure.Message.ShouldContain("things/0002_late.sql");
        (await database.ListAsync<int>("SELECT id FROM things ORDER BY id")).ShouldBe([1, 3]);
    }

    [Fact]
    public async Task Apply_LeavesTheDatabaseAsItWas_WhenAScriptFails()
    {
        var database = await postgres.Server.CreateDatabaseAsync();
        var set = Set("things", ("0001_things.sql", First), ("0002_wrong.sql", "INSERT INTO nowhere VALUES (1)"));

        var failure = await Should.ThrowAsync<SchemaMigrationException>(() => ApplyAsync(database, set));

        failure.Message.ShouldContain("things/0002_wrong.sql");
        failure.Message.ShouldContain("nowhere");
        (await database.ScalarAsync<bool>("SELECT to_regclass('things') IS NULL")).ShouldBeTrue();
        (await ApplyAsync(database, Set("things", ("0001_things.sql", First)))).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Apply_EndsItsWaitForTheLock_WhenCancelled()
    {
        var database = await postgres.Server.CreateDatabaseAsync();
        await using var other = await database.OpenAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({SchemaMigrator.LockKey})", other, transaction);
        await hold.ExecuteNonQueryAsync();
        using var cancellation = new CancellationTokenSource();
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);

        var pending = new SchemaMigrator(source, NullLogger.Instance).ApplyAsync([Set("things", ("0001_things.sql", First))], cancellation.Token);
        // Of this database: other tests' are on the same server.
        await Eventually.TrueAsync(async () => await database.ScalarAsync<long>(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 1);
        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => pending);
        (await database.ScalarAsync<bool>("SELECT to_regclass('things') IS NULL")).ShouldBeTrue();
    }

    [Fact]
    public void Set_RefusesNamesThatHaveNoOrder()
    {
        Should.Throw<ArgumentException>(() => Set("things", ("first.sql", First))).Message.ShouldContain("first.sql");
        Should.Throw<ArgumentException>(() => Set("things", ("0001_a.sql", First), ("0001_b.sql", First))).Message.ShouldContain("0001_b.sql");
    }

    private static ScriptSet Set(string name, params (string Name, string Sql)[] scripts) =>
        new(name, scripts.Select(script => KeyValuePair.Create(script.Name, script.Sql)));

    private static async Task<IReadOnlyList<string>> ApplyAsync(PostgresDatabase database, params ScriptSet[] sets)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        return await new SchemaMigrator(source, NullLogger.Instance).ApplyAsync(sets, CancellationToken.None);
    }

    private static async Task<IReadOnlyList<string>> PendingAsync(PostgresDatabase database, params ScriptSet[] sets)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        return await new SchemaMigrator(source, NullLogger.Instance).PendingAsync(sets, CancellationToken.None);
    }
}
