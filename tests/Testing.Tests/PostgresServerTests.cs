using System.Diagnostics;
using Npgsql;

namespace Maintenance.Testing.Tests;

public sealed class PostgresServerTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Databases_AreFreshAndApart_OnTheSharedServer()
    {
        (await PostgresServer.SharedAsync()).ShouldBeSameAs(postgres.Server);
        var one = await postgres.Server.CreateDatabaseAsync();
        var other = await postgres.Server.CreateDatabaseAsync();

        await one.ExecuteAsync("CREATE TABLE kinds (id int, name text); INSERT INTO kinds VALUES (1, 'grüße'), (2, NULL)");

        (await one.ScalarAsync<string>("SELECT name FROM kinds WHERE id = $1", 1)).ShouldBe("grüße");
        (await one.ScalarAsync<string>("SELECT name FROM kinds WHERE id = $1", 2)).ShouldBeNull();
        (await one.ListAsync<int>("SELECT id FROM kinds ORDER BY id")).ShouldBe([1, 2]);
        (await one.ExecuteAsync("DELETE FROM kinds")).ShouldBe(2);
        (await Should.ThrowAsync<PostgresException>(() => other.ExecuteAsync("SELECT * FROM kinds"))).SqlState.ShouldBe(PostgresErrorCodes.UndefinedTable);
    }

    [Fact]
    public async Task ConnectionString_IsRefused_WithAnotherPassword()
    {
        var wrong = new NpgsqlConnectionStringBuilder(postgres.Server.ConnectionString) { Password = "wrong", Pooling = false };
        await using var connection = new NpgsqlConnection(wrong.ConnectionString);

        (await Should.ThrowAsync<PostgresException>(() => connection.OpenAsync())).SqlState.ShouldBe(PostgresErrorCodes.InvalidPassword);
    }

    [Fact]
    public async Task Restart_KeepsPortAndCommittedData_AfterKill()
    {
        await using var server = await PostgresServer.StartAsync();
        var database = await server.CreateDatabaseAsync();
        await database.ExecuteAsync("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)");
        var (port, processId) = (server.Port, server.ProcessId);

        await server.KillAsync();
        server.IsRunning.ShouldBeFalse();
        await Should.ThrowAsync<NpgsqlException>(() => database.ExecuteAsync("SELECT 1"));
        await server.RestartAsync();

        server.Port.ShouldBe(port);
        server.ProcessId.ShouldNotBe(processId);
        (await database.ScalarAsync<int>("SELECT id FROM kept")).ShouldBe(7);
    }

    [Fact]
    public async Task Pause_LeavesOpenConnectionsUnanswered_UntilResume()
    {
        await using var server = await PostgresServer.StartAsync();
        var database = await server.CreateDatabaseAsync();
        await using var connection = await database.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT 5", connection);

        await server.PauseAsync();
        var pending = command.ExecuteScalarAsync();
        await Should.ThrowAsync<TimeoutException>(() => pending.WaitAsync(TimeSpan.FromMilliseconds(200)));
        await server.ResumeAsync();

        (await pending).ShouldBe(5);
    }

    [Fact]
    public async Task Start_RemovesWhatAnEndedTestProcessLeft()
    {
        // A process id that no process has: above the kernel's highest.
        var abandoned = Directory.CreateTempSubdirectory("maintenance-postgres-of-99999999-").FullName;

        await using var server = await PostgresServer.StartAsync();

        Directory.Exists(abandoned).ShouldBeFalse();
        Directory.Exists(server.Folder).ShouldBeTrue();
    }

    [Fact]
    public async Task Dispose_EndsTheProcessesAndRemovesTheFolder()
    {
        var server = await PostgresServer.StartAsync();
        var (processId, folder) = (server.ProcessId, server.Folder);

        await server.PauseAsync();
        await server.DisposeAsync();

        Directory.Exists(folder).ShouldBeFalse();
        Directory.Exists($"/proc/{processId}").ShouldBeFalse();
    }

    [Fact]
    public async Task KillAndDispose_AreContentWithAServerThatEndedByItself()
    {
        var server = await PostgresServer.StartAsync();
        using var postmaster = Process.GetProcessById(server.ProcessId);
        postmaster.Kill();
        await postmaster.WaitForExitAsync();

        await server.KillAsync();
        await server.DisposeAsync();

        Directory.Exists(server.Folder).ShouldBeFalse();
    }
}
