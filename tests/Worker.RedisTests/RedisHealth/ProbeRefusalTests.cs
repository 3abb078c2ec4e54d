using System.Globalization;
using Maintenance.Testing;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.RedisHealth;

/// <summary>A probe on a server that refuses commands, by an ACL or because they are renamed away.</summary>
public sealed class ProbeRefusalTests
{
    [Fact]
    public async Task Probe_SaysWhatIsRefused_AndTheRestWorks()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { RefusedCommands = ["CONFIG", "SLOWLOG", "INFO"] });
        using var harness = new ProbeHarness(server);

        var result = await JobHarness.RunAsync(harness.Job, harness.Metrics);

        result.Outcome.ShouldBe(JobOutcome.Success);
        result.Unavailable.ShouldBe(["INFO", "SLOWLOG GET"]);
        var node = harness.Latest.Value!.Nodes.Single();
        node.Status.ShouldBe(HealthStatus.Healthy, string.Join(' ', node.Reasons));
        node.Ping!.Seconds.Count.ShouldBe(20);
        node.Canary!.ReadSeconds.ShouldNotBeNull();
        harness.Value("maintenance.redis.up").ShouldBe(1);
        harness.Value("maintenance.redis.memory.used").ShouldBeNull();
        harness.Value("maintenance.redis.evicted_keys").ShouldBeNull();
        harness.Value("maintenance.redis.persistence_ok").ShouldBeNull();
    }

    [Theory]
    [InlineData("-echo", "ECHO", "")]
    [InlineData("-echo -slowlog", "ECHO", "SLOWLOG GET")]
    // Not without TIME as well: the client itself asks it to see that a connection lives, and drops one that refuses.
    public async Task Probe_TakesAnotherCommandForItsPings_WhenAnAclRefusesEcho(string rules, string pings, string besides)
    {
        await using var server = await RedisServer.StartAsync();
        var options = ProbeHarness.Patient();
        using var harness = new ProbeHarness(server, options);

        var result = await ProbeWhileRulesChangeAsync(server, harness, options, rules.Split(' '));

        result.Outcome.ShouldBe(JobOutcome.Success);
        result.Unavailable.ShouldBe([.. pings.Split(','), .. besides.Split(',', StringSplitOptions.RemoveEmptyEntries)], ignoreOrder: true);
        var node = harness.Latest.Value!.Nodes.Single();
        node.Status.ShouldBe(HealthStatus.Healthy, string.Join(' ', node.Reasons));
        node.Ping!.Seconds.Count.ShouldBe(options.Pings);
        harness.Value("maintenance.redis.up").ShouldBe(1);
    }

    [Fact]
    public async Task Probe_SaysThatTheServerIsUp_WhenAnAclRefusesAllThatItAsks()
    {
        await using var server = await RedisServer.StartAsync();
        var options = ProbeHarness.Patient();
        using var harness = new ProbeHarness(server, options);

        var result = await ProbeWhileRulesChangeAsync(server, harness, options, ["-@all", "+client"]);

        result.Outcome.ShouldBe(JobOutcome.Success);
        var node = harness.Latest.Value!.Nodes.Single();
        node.Up.ShouldBeTrue();
        node.Unavailable.ShouldBe(["ECHO", "TIME", "GET", "INFO", "SLOWLOG GET", "canary (SET, GET, DEL)"]);
        node.Reasons.ShouldHaveSingleItem().Code.ShouldBe(HealthReasons.CanaryRefused);
    }

    [Theory]
    [InlineData("rename-command ECHO \"\"")]
    [InlineData("user default on nopass ~* &* +@all -echo")]
    public async Task Probe_NamesTheCommandsOfTheHandshake_WhenTheClientCannotConnectWithoutThem(string line)
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { ConfigurationLines = [line] });
        using var harness = new ProbeHarness(server);

        var result = await JobHarness.RunAsync(harness.Job, harness.Metrics);

        result.Outcome.ShouldBe(JobOutcome.Success, "a Redis that cannot be used is what the job is there to find");
        var reason = harness.Latest.Value!.Nodes.Single().Reasons.ShouldHaveSingleItem();
        reason.Code.ShouldBe(HealthReasons.Unreachable);
        reason.See.ShouldContain("ECHO");
    }

    [Theory]
    [InlineData("-info", "INFO")]
    [InlineData("-config -slowlog", "SLOWLOG GET")]
    public async Task Probe_SaysWhatAnAclRefuses_AndTheRestWorks(string rules, string refused)
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { ConfigurationLines = [$"user default on nopass ~* &* +@all {rules}"] });
        using var harness = new ProbeHarness(server);

        var result = await JobHarness.RunAsync(harness.Job, harness.Metrics);

        result.Unavailable.ShouldBe(refused.Split(','));
        var node = harness.Latest.Value!.Nodes.Single();
        node.Status.ShouldBe(HealthStatus.Healthy, string.Join(' ', node.Reasons));
        node.Ping!.Seconds.Count.ShouldBe(20);
    }

    [Fact]
    public async Task Probe_FindsThePolicy_WhereConfigIsRefused()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { RefusedCommands = ["CONFIG"], MaxMemoryPolicy = "allkeys-lru" });
        using var harness = new ProbeHarness(server);

        var node = await harness.ProbeOneAsync();

        node.Unavailable.ShouldBeEmpty();
        node.Memory!.Policy.ShouldBe("allkeys-lru");
        node.Reasons.ShouldHaveSingleItem().Code.ShouldBe(HealthReasons.UnsafePolicy);
    }

    /// <summary>
    /// Changes the default user's rules between a probe's first ping and its last: the client's own handshake needs ECHO. This test may stand still
    /// for as long as all the pings take; then it begins anew, with more of them.
    /// </summary>
    private static async Task<JobResult> ProbeWhileRulesChangeAsync(RedisServer server, ProbeHarness harness, RedisHealthOptions options, string[] rules)
    {
        for (options.Pings = 10_000; ; options.Pings *= 4)
        {
            var running = JobHarness.RunAsync(harness.Job, harness.Metrics);
            await EchoesAsync(server, running);
            await server.ExecuteAsync(["ACL", "SETUSER", "default", .. rules]);
            if (!running.IsCompleted || options.Pings > 1_000_000)
            {
                return await running;
            }

            await server.ExecuteAsync("ACL", "SETUSER", "default", "+@all");
            await server.ExecuteAsync("CONFIG", "RESETSTAT");
        }
    }

    /// <summary>Awaits the first pings, and the end of the handshake, which needs ECHO too; or the probe's end.</summary>
    private static async Task EchoesAsync(RedisServer server, Task probe)
    {
        await Eventually.TrueAsync(async () =>
        {
            var probes = (await server.StringAsync("CLIENT", "LIST"))!.Split('\n').Where(line => line.Contains(" name=maintenance-probe", StringComparison.Ordinal)).ToList();
            return probe.IsCompleted || (probes.Count > 0 && probes.TrueForAll(line => line.Contains(" cmd=echo", StringComparison.Ordinal)));
        });
        await Eventually.TrueAsync(async () => probe.IsCompleted || await CallsAsync(server, "echo") >= 10);
    }

    private static async Task<int> CallsAsync(RedisServer server, string command)
    {
        var head = $"cmdstat_{command}:calls=";
        var line = (await server.StringAsync("INFO", "commandstats"))!.Split('\n').FirstOrDefault(line => line.StartsWith(head, StringComparison.Ordinal));
        return line is null ? 0 : int.Parse(line[head.Length..].Split(',')[0], CultureInfo.InvariantCulture);
    }
}
