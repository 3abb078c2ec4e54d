using Maintenance.Storage.Redis;
using Maintenance.Testing;

namespace Maintenance.Archive.PostgresTests.Hosting;

/// <summary>The worker as operators run it.</summary>
public sealed class WorkerCommandLineTests(RedisFixture redis, PostgresFixture postgres) : IClassFixture<RedisFixture>, IClassFixture<PostgresFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Worker_MigratesCleansAndReplays_FromTheCommandLine()
    {
        var database = await postgres.Server.CreateDatabaseAsync();

        (await RunAsync(database.ConnectionString, "archive", "migrate")).ShouldSatisfyAllConditions(
            run => run.ExitCode.ShouldBe(0, run.Errors), run => run.Output.ShouldContain("archive/0001_sessions.sql"));
        (await RunAsync(database.ConnectionString, "archive", "migrate")).Output.ShouldContain("Nothing to apply");

        await database.ExecuteAsync("INSERT INTO archive_sessions (user_ref, sid, keep_until) SELECT 'u', i::text, now() - interval '1 minute' FROM generate_series(1, 7) i");
        var cleanup = await RunAsync(database.ConnectionString, "run", "session-cleanup", "--json");
        cleanup.ExitCode.ShouldBe(0, cleanup.Errors);
        cleanup.Output.ShouldContain("\"archive_rows_deleted\":7");

        var user = UserReference.Of("someone").Value;
        await database.ExecuteAsync("INSERT INTO archive_users (user_ref, generation, keep_until) VALUES ($1, 77, now() + interval '1 day')", user);
        var replay = await RunAsync(database.ConnectionString, "archive", "replay", "--since", "2020-01-01T00:00:00Z", "--json");
        replay.ExitCode.ShouldBe(0, replay.Errors);
        (await redis.Server.StringAsync("GET", new RedisKeys("").Generation(UserReference.Of("someone")))).ShouldBe("77");
        string.Join('\n', cleanup.Errors, replay.Errors, replay.Output).ShouldNotContain("only+of+tests");
    }

    [Fact]
    public async Task ArchiveVerbs_NameTheSetting_WhenThereIsNoArchive()
    {
        foreach (var verb in new[] { "migrate", "replay" })
        {
            var run = await RunAsync(null, "archive", verb);

            run.ExitCode.ShouldBe(2);
            run.Errors.ShouldContain("Archive:ConnectionString");
        }
    }

    [Fact]
    public async Task WrongConnectionString_StopsTheStart_AndIsNotRepeated()
    {
        var run = await RunAsync("Host=db;Passwort=very-secret", "check");

        run.ExitCode.ShouldBe(2);
        run.Errors.ShouldContain("Archive:ConnectionString");
        run.Errors.ShouldNotContain("very-secret");
    }

    private async Task<(int ExitCode, string Output, string Errors)> RunAsync(string? connectionString, params string[] arguments)
    {
        await using var process = ChildProcess.StartOurs("Worker", arguments, new Dictionary<string, string?>
        {
            ["REDIS_URL"] = redis.Server.Url,
            ["Storage__Redis__Deadline"] = "00:00:10",
            ["Storage__Redis__ConnectTimeout"] = "00:00:30",
            ["Archive__ConnectionString"] = connectionString,
            ["Archive__Deadline"] = "00:00:30",
        });
        var exitCode = await process.WaitForExitAsync(Patience);
        return (exitCode, string.Join('\n', process.Output), string.Join('\n', process.Errors));
    }
}
