using Maintenance.Archive.Migrations;
using Maintenance.Testing;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Maintenance.WebHost.RedisTests.Database;

/// <summary>Old rows leave the audit trail, and no others, by its owner's hand.</summary>
public sealed class AuditPruneTests : IAsyncLifetime
{
    private const string Rows = "SELECT string_agg(counted, ',' ORDER BY counted) FROM (SELECT action || '|' || count(*) AS counted FROM audit_events GROUP BY action) AS actions";

    private static readonly AuditPrune OfAMonth = new(TimeSpan.FromDays(30), DryRun: false, []);

    private PostgresDatabase database = null!;

    public async Task InitializeAsync()
    {
        database = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await new SchemaMigrator(source, NullLogger.Instance).ApplyAsync([DatabaseMigration.Schema], default);
        await PlantAsync("old", 31, 2500);
        await PlantAsync("young", 29, 5);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Prune_DeletesOldRowsAlone_InBatches_WhileOthersAreWritten_AndTheTrailSaysSo()
    {
        using var done = new CancellationTokenSource();
        var written = WriteAsync(done.Token);
        await using var verb = ChildProcess.StartOurs("WebHost", ["audit", "prune", "--older-than", "30.00:00:00"], new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["DATABASE_URL"] = database.ConnectionString,
            ["Mail__Folder"] = Path.GetTempPath(),
        });

        (await verb.WaitForExitAsync(TimeSpan.FromSeconds(120))).ShouldBe(0, verb.Tail());

        await done.CancelAsync();
        // The last one may be under way.
        var now = await written;
        verb.Output.ShouldContain(line => line.StartsWith("2500 rows of before ", StringComparison.Ordinal) && line.EndsWith("Z deleted.", StringComparison.Ordinal));
        (await database.ScalarAsync<string>(Rows)).ShouldBe($"audit.pruned|1,now|{now},young|5");
        (await database.ScalarAsync<string>("SELECT detail FROM audit_events WHERE action = 'audit.pruned'")).ShouldStartWith("command line: rows of before ");
        // Append-only again, to its owner too.
        (await Should.ThrowAsync<PostgresException>(() => database.ExecuteAsync("DELETE FROM audit_events"))).Message.ShouldContain("append-only");
    }

    [Fact]
    public async Task DryRun_Counts_AndWhereNothingIsOldNothingIsSaid()
    {
        (await RunAsync(OfAMonth with { DryRun = true })).ShouldStartWith("0 2500 rows of before ");
        (await RunAsync(OfAMonth with { OlderThan = TimeSpan.FromDays(365) })).ShouldStartWith("0 0 rows of before ");

        (await database.ScalarAsync<string>(Rows)).ShouldBe("old|2500,young|5");
    }

    [Fact]
    public async Task Prune_IsTheOwnersAlone()
    {
        var role = $"host_{Guid.NewGuid():N}";
        await database.ExecuteAsync($"CREATE ROLE {role} LOGIN PASSWORD 'only-of-tests'");
        await database.ExecuteAsync($"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}");
        var other = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = role, Password = "only-of-tests" }.ConnectionString;

        var said = await RunAsync(OfAMonth, other);

        said.ShouldStartWith("1 Not pruned: must be owner of table audit_events.");
        said.ShouldNotContain("only-of-tests");
        (await database.ScalarAsync<string>(Rows)).ShouldBe("old|2500,young|5");
    }

    [Fact]
    public async Task Prune_OfWhichOneIsUnderWay_LeavesItAlone()
    {
        await using var other = await database.OpenAsync();
        await using var hold = new NpgsqlCommand($"SELECT pg_advisory_lock({AuditPruneVerb.LockKey})", other);
        await hold.ExecuteNonQueryAsync();

        (await RunAsync(OfAMonth)).ShouldStartWith("1 Not pruned: another audit prune is under way.");

        (await database.ScalarAsync<string>(Rows)).ShouldBe("old|2500,young|5");
    }

    private Task<int> PlantAsync(string action, int days, int rows) => database.ExecuteAsync(
        "INSERT INTO audit_events (at, action, succeeded) SELECT now() - $1, $2, true FROM generate_series(1, $3)", TimeSpan.FromDays(days), action, rows);

    private async Task<int> WriteAsync(CancellationToken end)
    {
        var rows = 0;
        for (; !end.IsCancellationRequested; rows++)
        {
            await PlantAsync("now", 0, 1);
        }

        return rows;
    }

    private async Task<string> RunAsync(AuditPrune prune, string? connectionString = null)
    {
        await using var host = HostSetup.Build(
            [$"--Database:ConnectionString={connectionString ?? database.ConnectionString}", $"--Mail:Folder={Path.GetTempPath()}"], builder => builder.Logging.ClearProviders());
        await using var output = new StringWriter();
        var exit = await AuditPruneVerb.RunAsync(host.Services, prune, output, output, CancellationToken.None);
        return $"{exit} {output}";
    }
}
