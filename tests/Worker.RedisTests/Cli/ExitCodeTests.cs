using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Cli;

/// <summary>How the built program ends, on stores that really are as they should not be.</summary>
public sealed class ExitCodeTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private readonly RedisServer server = redis.Server;

    private static readonly (string, string?)[] Slow =
        [("Jobs__SessionCleanup__Budget__CommandsPerSecond", "5"), ("Jobs__SessionCleanup__Budget__ScanCount", "10"), ("Jobs__SessionCleanup__Budget__BatchSize", "5")];

    public Task InitializeAsync() => server.FlushAllAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData(JobNames.SessionCleanup, DriftCounts.ExpiredMembers)]
    [InlineData(JobNames.SessionCleanup, DriftCounts.WrongScores)]
    [InlineData(JobNames.SessionCleanup, DriftCounts.MissingTtl)]
    [InlineData(JobNames.IndexReconciliation, "drift_missing")]
    public async Task Run_Exits3_UnderDryRun_WhileThereIsSomethingToMend_And0Afterwards(string job, string drift)
    {
        await using var sweep = new SweepHarness(server);
        var session = (await sweep.PopulateAsync(20))[0][0];
        string[] damage = drift switch
        {
            DriftCounts.ExpiredMembers => ["ZADD", sweep.Index(session), "1000", new string('x', 22)],
            DriftCounts.WrongScores => ["ZADD", sweep.Index(session), "1000", session.Token.Id.Value],
            DriftCounts.MissingTtl => ["PERSIST", sweep.Record(session)],
            _ => ["DEL", sweep.Index(session)],
        };
        await server.ExecuteAsync(damage);

        (await WorkerProcess.VerbAsync(server.Url, ["run", job, "--dry-run"])).Exit.ShouldBe(3);
        (await WorkerProcess.VerbAsync(server.Url, ["run", job])).Exit.ShouldBe(0);
        var (exit, output, errors) = await WorkerProcess.VerbAsync(server.Url, ["run", job, "--dry-run"]);
        exit.ShouldBe(0, output + errors);
        (await sweep.IsValidAsync(session)).ShouldBeTrue();
    }

    [Fact]
    public async Task Run_Exits1_WhenTheBrakeStopsIt_UnlessThisRunMayRemoveMore()
    {
        await server.ExecuteManyAsync(Enumerable.Range(0, 1500).Select(i => new[] { "SET", $"app:cache:{i}", "1" }));
        (string, string?)[] settings = [("Jobs__SessionCleanup__MissingTtl", "Remove"), ("Storage__Redis__KeyPrefix", "app:")];
        var (exit, output, errors) = await WorkerProcess.VerbAsync(server.Url, ["run", JobNames.SessionCleanup], settings);
        exit.ShouldBe(1, output + errors);
        output.ShouldContain("brake");
        (await server.KeysAsync("app:cache:*")).Count.ShouldBeGreaterThan(400);

        (exit, output, errors) = await WorkerProcess.VerbAsync(server.Url, ["run", JobNames.SessionCleanup, "--brake-share", "1"], settings);
        exit.ShouldBe(0, output + errors);
        (await server.KeysAsync("app:cache:*")).ShouldBeEmpty();
        (await WorkerProcess.VerbAsync(server.Url, ["run", JobNames.SessionCleanup, "--brake-share", "20"], settings)).Exit.ShouldBe(2);
    }

    [Fact]
    public async Task Check_Exits1_WhenRedisIsDegraded()
    {
        await using var evicting = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryBytes = 100_000_000, MaxMemoryPolicy = "allkeys-lru" });
        var (exit, output, errors) = await WorkerProcess.VerbAsync(evicting.Url, ["check"]);
        exit.ShouldBe(1, output + errors);
        output.ShouldContain("allkeys-lru");
    }

    [Theory]
    [InlineData("find", "somebody")]
    [InlineData("pause")]
    [InlineData("run", JobNames.SessionCleanup)]
    public async Task Verbs_Exit1_WithoutAStackTrace_WhenRedisRefuses(params string[] arguments)
    {
        await using var refusing = await RedisServer.StartAsync();
        await refusing.ExecuteAsync("ACL", "SETUSER", "default", "resetkeys", "~__*");
        var (exit, output, errors) = await WorkerProcess.VerbAsync(refusing.Url, arguments);
        exit.ShouldBe(1, output + errors);
        (output + errors).ShouldContain("NOPERM");
        errors.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task Run_Exits130_AndGivesItsLeaseBack_OnCtrlC()
    {
        await server.ExecuteManyAsync(Enumerable.Range(0, 1000).Select(i => new[] { "SET", $"blacklist:token{i}", "1", "EX", "3600" }));
        await using var verb = WorkerProcess.StartVerb(server.Url, ["run", JobNames.SessionCleanup], Slow);
        var lease = $"maintenance:lease:{JobNames.SessionCleanup}";
        await Eventually.TrueAsync(async () => await server.StringAsync("HGET", lease, "holder") is not null, TimeSpan.FromSeconds(120));

        await verb.SignalAsync(Signal.Interrupt);

        (await verb.WaitForExitAsync(TimeSpan.FromSeconds(60))).ShouldBe(130, verb.Tail());
        verb.Tail().ShouldNotContain("   at ");
        // It is sent, and whoever pressed Ctrl-C does not wait long for the answer.
        await Eventually.TrueAsync(async () => await server.StringAsync("HGET", lease, "holder") is null);
    }

    [Fact]
    public async Task Demo_Exits130_WithoutAStackTrace_AndLeavesNothing_OnCtrlC()
    {
        await using var verb = WorkerProcess.StartVerb(server.Url, ["demo", "--redis", server.Url, "--exit", "--users", "50000"]);
        await verb.WaitForLineAsync(line => line.StartsWith("Logging in", StringComparison.Ordinal), TimeSpan.FromSeconds(120));
        await Eventually.TrueAsync(async () => (await server.KeysAsync()).Count > 0, TimeSpan.FromSeconds(60));

        await verb.SignalAsync(Signal.Interrupt);

        (await verb.WaitForExitAsync(TimeSpan.FromSeconds(60))).ShouldBe(130, verb.Tail());
        verb.Errors[^1].ShouldBe("Canceled.");
        (await server.KeysAsync()).ShouldBeEmpty();
    }
}
