using System.Text.Json;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Worker.RedisTests.Cli;

/// <summary>The built program, run as a person runs it.</summary>
public sealed class VerbTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    // On a busy machine a program's first call takes long.
    private static readonly (string Name, string? Value) Patient = ("Storage__Redis__Deadline", "00:00:20");

    private readonly string url = redis.Server.Url;

    [Fact]
    public async Task Run_Exits0_AndPrintsOneJsonDocument_WithLogsElsewhere()
    {
        var (exit, output, _) = await WorkerProcess.VerbAsync(
            url, ["run", JobNames.RedisHealth, "--json"], ("Logging__LogLevel__Default", "Information"));
        exit.ShouldBe(0, output);
        var result = JsonSerializer.Deserialize<JobResult>(output, JobResultJson.Options)!;
        result.Outcome.ShouldBe(JobOutcome.Success);
        result.Due.ShouldBeNull();
        (await redis.Server.ListAsync("LRANGE", $"maintenance:results:{{{JobNames.RedisHealth}}}", "0", "-1"))
            .ShouldContain(json => json.Contains(result.RunId, StringComparison.Ordinal) && json.Contains("\"one_shot\":true", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("run", "no-such-job")]
    [InlineData("run")]
    [InlineData("walk")]
    [InlineData("pause", "--for", "-00:00:01")]
    [InlineData("pause", "--for", "soon")]
    public async Task Exits2_AndSaysWhy_OnWrongUsage(params string[] arguments)
    {
        var (exit, _, errors) = await WorkerProcess.VerbAsync(url, arguments);
        exit.ShouldBe(2);
        errors.ShouldNotBeEmpty();
        errors.ShouldNotContain("   at ");
    }

    [Theory]
    [InlineData("Jobs__RedisHealth__Schedule", "sometimes", "Jobs:RedisHealth:Schedule")]
    [InlineData("Lease__Duration", "00:00:00", "Lease:Duration")]
    [InlineData("Lease__Duration", "long", "Lease:Duration")]
    [InlineData("Results__RefreshInterval", "00:00:00", "Results:RefreshInterval")]
    [InlineData("Management__Port", "70000", "Management:Port")]
    [InlineData("REDIS_URL", "http://example.org", "REDIS_URL")]
    [InlineData("REDIS_ENABLED", "false", "REDIS_ENABLED")]
    [InlineData("REDIS_ENABLED", "maybe", "REDIS_ENABLED")]
    [InlineData("Alerting__Webhooks__ops__Format", "Fax", "Alerting:Webhooks:ops:Format")]
    [InlineData("KeySpaces__express__Sessions", "sess:*", "KeySpaces:express:Sessions")]
    [InlineData("KeySpaces__express__Action", "Delete", "KeySpaces:express:Action")]
    public async Task Serve_Exits2_AndNamesTheWrongSetting(string name, string value, string expected)
    {
        var (exit, _, errors) = await WorkerProcess.VerbAsync(url, [], (name, value));
        exit.ShouldBe(2, errors);
        errors.ShouldContain(expected);
        errors.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task Serve_Exits2_AndNamesThePort_WhenItIsTaken()
    {
        var (exit, _, errors) = await WorkerProcess.VerbAsync(url, [], ("Management__Port", $"{redis.Server.Port}"));
        exit.ShouldBe(2, errors);
        errors.ShouldContain("Management:Port");
    }

    [Fact]
    public async Task Check_Exits0_WhenHealthy_And2_WhenRedisIsDown()
    {
        var (healthy, text, _) = await WorkerProcess.VerbAsync(url, ["check"]);
        healthy.ShouldBe(0, text);
        text.ShouldStartWith("healthy");

        var (unhealthy, json, _) = await WorkerProcess.VerbAsync($"redis://127.0.0.1:{FreePort.Next()}", ["check", "--json"]);
        unhealthy.ShouldBe(2, json);
        var answer = JsonDocument.Parse(json).RootElement;
        answer.GetProperty("status").GetString().ShouldBe("unhealthy");
        answer.GetProperty("reasons").GetArrayLength().ShouldBePositive();
    }

    [Fact]
    public async Task Pause_StopsRuns_UntilResume()
    {
        await using var server = await RedisServer.StartAsync();
        (await WorkerProcess.VerbAsync(server.Url, ["pause", "--for", "00:10:00"])).Exit.ShouldBe(0);
        (await server.IntegerAsync("PTTL", "maintenance:pause")).ShouldBeInRange(500_000, 600_000);
        var (exit, output, _) = await WorkerProcess.VerbAsync(server.Url, ["run", JobNames.RedisHealth]);
        exit.ShouldBe(1);
        output.ShouldContain("paused");
        (await WorkerProcess.VerbAsync(server.Url, ["resume"])).Exit.ShouldBe(0);
        (await WorkerProcess.VerbAsync(server.Url, ["run", JobNames.RedisHealth])).Exit.ShouldBe(0);
    }

    [Fact]
    public async Task Find_ShowsSessions_WithoutSecretsOrClaims()
    {
        await using var connection = new RedisConnection(JobHarness.Options(redis.Server), TimeProvider.System, NullLogger.Instance);
        var store = new RedisSessionStore(
            connection, new RedisKeys(""), JobHarness.Monitor(new SessionOptions()), NullLogger.Instance, SessionScripts.Default);
        var userId = Guid.NewGuid().ToString();
        var issued = await store.CreateAsync(
            new NewSession
            {
                UserId = userId,
                DeviceName = "Anna's phone",
                Claims = new Dictionary<string, string>(StringComparer.Ordinal) { ["private"] = "not-for-eyes" },
            },
            CancellationToken.None);
        var lost = await store.CreateAsync(new NewSession { UserId = userId }, CancellationToken.None);
        var reference = UserReference.Of(userId);
        await redis.Server.ExecuteAsync("ZREM", new RedisKeys("").SessionIndex(reference), lost.Session.Id.Value);

        var (exit, text, errors) = await WorkerProcess.VerbAsync(url, ["find", userId], Patient);
        exit.ShouldBe(0, errors);
        text.ShouldContain(issued.Session.Id.Value);
        text.ShouldContain("Anna's phone");
        text.ShouldContain("the user's");
        text.ShouldNotContain("not-for-eyes");
        text.ShouldNotContain(lost.Session.Id.Value);

        var (_, scanned, _) = await WorkerProcess.VerbAsync(url, ["find", userId, "--scan", "--json"], Patient);
        scanned.ShouldNotContain("not-for-eyes");
        var sessions = JsonDocument.Parse(scanned).RootElement.GetProperty("sessions").EnumerateArray().ToList();
        sessions.Count.ShouldBe(2);
        sessions.ShouldAllBe(session => session.GetProperty("state").GetString() == "valid");
        sessions.Count(session => session.TryGetProperty("index_score", out _)).ShouldBe(1);
    }

    [Fact]
    public async Task Find_NamesKeysOfAnotherType_AndShowsTheRest()
    {
        var userId = Guid.NewGuid().ToString();
        await using var connection = new RedisConnection(JobHarness.Options(redis.Server), TimeProvider.System, NullLogger.Instance);
        var store = new RedisSessionStore(
            connection, new RedisKeys(""), JobHarness.Monitor(new SessionOptions()), NullLogger.Instance, SessionScripts.Default);
        var issued = await store.CreateAsync(new NewSession { UserId = userId }, CancellationToken.None);
        var (keys, reference) = (new RedisKeys(""), UserReference.Of(userId));
        foreach (var key in new[] { keys.Generation(reference), keys.SessionIndex(reference) })
        {
            await redis.Server.ExecuteAsync("DEL", key);
            await redis.Server.ExecuteAsync("HSET", key, "written", "by another program");
        }

        var (exit, text, errors) = await WorkerProcess.VerbAsync(url, ["find", userId, "--scan"], Patient);

        exit.ShouldBe(0, errors);
        text.ShouldContain($"Unreadable {keys.Generation(reference)}");
        text.ShouldContain($"Unreadable {keys.SessionIndex(reference)}");
        text.ShouldContain($"Session {issued.Session.Id.Value}: revoked");
    }

    [Fact]
    public async Task VersionAndHelp_Exit0()
    {
        (await WorkerProcess.VerbAsync(url, ["--version"])).Output.ShouldStartWith("0.");
        var (exit, help, _) = await WorkerProcess.VerbAsync(url, ["--help"]);
        exit.ShouldBe(0);
        foreach (var verb in new[] { "run", "check", "find", "pause", "resume" })
        {
            help.ShouldContain(verb);
        }
    }
}
