using System.Diagnostics;
using System.Globalization;
using Maintenance.Testing;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.RedisHealth;

public sealed class RedisHealthTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task Probe_IsHealthyWithEveryFigure_WhenRedisIsFine()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryBytes = 100_000_000, MaxMemoryPolicy = "noeviction" });
        using var harness = new ProbeHarness(server);

        var node = await harness.ProbeOneAsync();

        node.Status.ShouldBe(HealthStatus.Healthy, string.Join(' ', node.Reasons));
        node.Node.ShouldBe(server.Endpoint);
        node.Up.ShouldBeTrue();
        node.Unavailable.ShouldBeEmpty();
        node.ConnectSeconds.ShouldNotBeNull().ShouldBePositive();
        node.Ping!.Seconds.Count.ShouldBe(20);
        node.Ping.Min.ShouldBePositive();
        node.Ping.Max.ShouldBeGreaterThanOrEqualTo(node.Ping.P50);
        node.Canary!.WriteSeconds.ShouldNotBeNull();
        node.Canary.ReadSeconds.ShouldNotBeNull();
        node.Role.ShouldBe("master");
        node.Memory.ShouldNotBeNull().Policy.ShouldBe("noeviction");
        node.Memory.MaxBytes.ShouldBe(100_000_000);
        node.Memory.UsedBytes.ShouldNotBeNull().ShouldBePositive();
        node.Counters!.KeyspaceHits.ShouldNotBeNull();
        node.SlowLog!.NewEntries.ShouldBeNull("there was no probe before");
        (await server.KeysAsync()).ShouldBeEmpty("the canary is deleted");
    }

    [Fact]
    public async Task Metrics_AreThoseOfTheSnapshot_OnEveryReplica()
    {
        await using var server = await RedisServer.StartAsync();
        using var harness = new ProbeHarness(server);
        using var other = new ProbeHarness(server, replica: "other");
        using var durations = new MetricCollector<double>(harness.Meters, "maintenance.redis.probe.duration");
        using var othersDurations = new MetricCollector<double>(other.Meters, "maintenance.redis.probe.duration");

        var result = await JobHarness.RunAsync(harness.Job, harness.Metrics, other.Metrics);

        var node = result.ReadSnapshot<RedisHealthSnapshot>()!.Nodes.Single();
        other.Value("maintenance.redis.up").ShouldBe(1);
        other.Value("maintenance.redis.status").ShouldBe(0);
        other.Value("maintenance.redis.memory.used").ShouldBe(node.Memory!.UsedBytes);
        other.Value("maintenance.redis.memory.max").ShouldBeNull("no limit is set");
        other.Value("maintenance.redis.connected_clients").ShouldNotBeNull();
        other.Value("maintenance.redis.evicted_keys").ShouldBe(0);
        other.Value("maintenance.redis.persistence_ok").ShouldBe(1);
        other.Value("maintenance.redis.last_probe.timestamp").ShouldBe(node.At.ToUnixTimeMilliseconds() / 1000.0);
        foreach (var operation in (string[])["connect", "ping", "write", "read"])
        {
            durations.Measurements.Count(m => m.Has(("operation", operation), ("node", server.Endpoint))).ShouldBe(operation == "ping" ? 20 : 1);
        }

        othersDurations.Measurements.ShouldBeEmpty("a sum over replicas counts each step once");
    }

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
        var options = Patient();
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
        var options = Patient();
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

    [Fact]
    public async Task Probe_GoesUnhealthyAndHealthyAgain_WhenRedisIsKilledAndRestarted()
    {
        await using var server = await RedisServer.StartAsync();
        var options = Patient();
        using var harness = new ProbeHarness(server, options);
        (await harness.ProbeOneAsync()).Status.ShouldBe(HealthStatus.Healthy);
        options.Deadline = Deadline;

        await server.KillAsync();
        var started = Stopwatch.GetTimestamp();
        var down = await harness.ProbeOneAsync();

        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(Deadline * 6, "nothing else ends it within a minute");
        down.Up.ShouldBeFalse();
        down.Status.ShouldBe(HealthStatus.Unhealthy);
        down.Reasons.ShouldHaveSingleItem().Code.ShouldBe(HealthReasons.Unreachable);
        harness.Value("maintenance.redis.up").ShouldBe(0);
        harness.Value("maintenance.redis.status").ShouldBe(2);
        harness.Value("maintenance.redis.memory.used").ShouldBeNull();

        await server.RestartAsync();
        options.Deadline = TimeSpan.FromMinutes(1);
        (await harness.ProbeOneAsync()).Status.ShouldBe(HealthStatus.Healthy);
        harness.Value("maintenance.redis.up").ShouldBe(1);
    }

    [Fact]
    public async Task Probe_IsUnhealthyByItsDeadline_WhenRedisStandsStill()
    {
        await using var server = await RedisServer.StartAsync();
        var options = Patient();
        options.Deadline = Deadline;
        using var harness = new ProbeHarness(server, options);
        await server.PauseAsync();

        var started = Stopwatch.GetTimestamp();
        var node = await harness.ProbeOneAsync();

        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(Deadline * 6, "nothing else ends it within a minute");
        node.Up.ShouldBeFalse();
        node.Status.ShouldBe(HealthStatus.Unhealthy);
        node.Reasons.ShouldHaveSingleItem().Code.ShouldBeOneOf(HealthReasons.NoAnswer, HealthReasons.Unreachable);
    }

    [Fact]
    public async Task Probe_SaysLoading_WhileRedisReadsItsData()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions
        {
            AppendOnly = true,
            ConfigurationLines = ["appendfsync no", "key-load-delay 200", "loading-process-events-interval-bytes 1024", "aof-use-rdb-preamble no"],
        });
        await server.ExecuteManyAsync(Enumerable.Range(0, 60_000).Select(i => new[] { "SET", $"cache:{i}", "value" }));
        using var harness = new ProbeHarness(server);
        var restart = server.RestartAsync();

        NodeHealth? loading = null;
        await Eventually.TrueAsync(async () =>
        {
            var node = await harness.ProbeOneAsync();
            loading = node.Reasons.Any(reason => reason.Code == HealthReasons.Loading) ? node : null;
            return loading is not null || restart.IsCompleted;
        }, TimeSpan.FromSeconds(60));

        loading.ShouldNotBeNull().Status.ShouldBe(HealthStatus.Unhealthy);
        // It was slow enough to be seen; the rest may be quick.
        await server.ExecuteAsync("CONFIG", "SET", "key-load-delay", "0");
        await restart;
        await Eventually.TrueAsync(async () => (await harness.ProbeOneAsync()).Status == HealthStatus.Healthy);
    }

    [Fact]
    public async Task Probe_SaysThatWritesAreRefused_WhenRedisIsFull()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryBytes = 3_000_000, MaxMemoryPolicy = "noeviction" });
        using var harness = new ProbeHarness(server);
        await FillAsync(server);

        var node = await harness.ProbeOneAsync();

        node.Up.ShouldBeTrue();
        node.Status.ShouldBe(HealthStatus.Unhealthy);
        node.Reasons.Select(reason => reason.Code).ShouldContain(HealthReasons.OutOfMemory);
        node.Reasons.Select(reason => reason.Code).ShouldContain(HealthReasons.MemoryHigh);
        node.Ping!.Seconds.Count.ShouldBe(20);
        node.Memory!.UsedBytes.ShouldNotBeNull();
        node.SlowLog.ShouldNotBeNull();
    }

    [Fact]
    public async Task Probe_SeesEvictionsAndTheUnsafePolicy_WhenRedisDropsKeys()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryBytes = 3_000_000, MaxMemoryPolicy = "allkeys-lru" });
        using var harness = new ProbeHarness(server);
        (await harness.ProbeOneAsync()).Reasons.ShouldHaveSingleItem().Code.ShouldBe(HealthReasons.UnsafePolicy);
        harness.Value("maintenance.redis.eviction_policy_safe").ShouldBe(0);
        await server.ExecuteAsync("CONFIG", "SET", "maxmemory-policy", "noeviction");
        await harness.ProbeOneAsync();
        harness.Value("maintenance.redis.eviction_policy_safe").ShouldBe(1);
        await server.ExecuteAsync("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
        await server.ExecuteManyAsync(Enumerable.Range(0, 5000).Select(i => new[] { "SET", $"cache:{i}", new string('x', 1000) }));

        var node = await harness.ProbeOneAsync();

        node.EvictedSinceLast.ShouldNotBeNull().ShouldBePositive();
        node.Reasons.Select(reason => reason.Code).ShouldContain(HealthReasons.Evictions);
        harness.Value("maintenance.redis.evicted_keys").ShouldBe(node.Counters!.EvictedKeys);
        (await harness.ProbeOneAsync()).EvictedSinceLast.ShouldNotBeNull().ShouldBeLessThan(node.EvictedSinceLast.Value, "only what is new counts");
    }

    [Fact]
    public async Task Probe_ReportsRoleAndLagOfAReplica()
    {
        await using var primary = await RedisServer.StartAsync(new RedisServerOptions { ConfigurationLines = ["repl-diskless-sync-delay 0"] });
        await using var replica = await RedisServer.StartAsync(new RedisServerOptions { ExtraArguments = ["--replicaof", "127.0.0.1", $"{primary.Port}"] });
        using var harness = new ProbeHarness(
            [RedisNode.From(JobHarness.Options(primary)), RedisNode.From(JobHarness.Options(replica), mayBeReplica: true)], ProbeHarness.Relaxed());
        await Eventually.TrueAsync(async () => (await replica.StringAsync("INFO", "replication"))!.Contains("master_link_status:up", StringComparison.Ordinal));

        await Eventually.SucceedsAsync(async () =>
        {
            await JobHarness.RunAsync(harness.Job, harness.Metrics);
            var nodes = harness.Latest.Value!.Nodes;
            nodes[0].Replicas.ShouldNotBeNull().ShouldHaveSingleItem().State.ShouldBe("online");
        });

        harness.Latest.Value!.Status.ShouldBe(HealthStatus.Healthy);
        harness.Latest.Value.Nodes.Select(node => node.Role).ShouldBe(["master", "slave"]);
        harness.Latest.Value.Nodes[1].PrimaryLinkUp.ShouldBe(true);
        harness.Value("maintenance.redis.replication_lag", replica.Endpoint).ShouldNotBeNull().ShouldBeLessThan(10_000);

        // A replica that stands still falls behind by what is written meanwhile.
        await replica.PauseAsync();
        await primary.ExecuteAsync("SET", "cache:big", new string('x', 200_000));
        using var onlyPrimary = new ProbeHarness(primary);
        var seen = await onlyPrimary.ProbeOneAsync();
        await replica.ResumeAsync();
        seen.Replicas!.Single().LagBytes.ShouldNotBeNull().ShouldBeGreaterThanOrEqualTo(200_000);
    }

    [Fact]
    public async Task Probe_IsUnhealthy_WhenTheConfiguredServerIsAReplica()
    {
        await using var primary = await RedisServer.StartAsync(new RedisServerOptions { ConfigurationLines = ["repl-diskless-sync-delay 0"] });
        await using var replica = await RedisServer.StartAsync(new RedisServerOptions { ExtraArguments = ["--replicaof", "127.0.0.1", $"{primary.Port}"] });
        await Eventually.TrueAsync(async () => (await replica.StringAsync("INFO", "replication"))!.Contains("master_link_status:up", StringComparison.Ordinal));
        using var harness = new ProbeHarness(replica);

        var node = await harness.ProbeOneAsync();

        node.Status.ShouldBe(HealthStatus.Unhealthy);
        node.Reasons.ShouldHaveSingleItem().Code.ShouldBe(HealthReasons.ReadOnly);
    }

    [Fact]
    public async Task Probe_SaysThatPersistenceFails_WhenASnapshotCannotBeWritten()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { ConfigurationLines = ["save 3600 1"] });
        using var harness = new ProbeHarness(server);
        // A folder in the file's place: not even root can write it.
        Directory.CreateDirectory(Path.Combine(server.Folder, "dump.rdb"));
        await server.ExecuteAsync("SET", "cache:a", "b");
        await server.ExecuteAsync("BGSAVE");
        await Eventually.TrueAsync(async () => (await server.StringAsync("INFO", "persistence"))!.Contains("rdb_last_bgsave_status:err", StringComparison.Ordinal));

        var node = await harness.ProbeOneAsync();

        node.Status.ShouldBe(HealthStatus.Unhealthy, "Redis refuses writes then");
        node.Reasons.Select(reason => reason.Code).ShouldBe([HealthReasons.WritesStopped, HealthReasons.PersistenceFailing]);
        harness.Value("maintenance.redis.persistence_ok").ShouldBe(0);
    }

    [Fact]
    public async Task Probe_CountsNewSlowCommands_AndKeepsNoArgument()
    {
        await using var server = await RedisServer.StartAsync();
        var options = ProbeHarness.Relaxed();
        options.SlowCommandDegraded = TimeSpan.FromMilliseconds(500);
        using var harness = new ProbeHarness(server, options);
        await harness.ProbeOneAsync();
        await server.ExecuteAsync("EVAL", "local t = redis.call('TIME'); local e = t[1] * 1000000 + t[2] + 600000; repeat t = redis.call('TIME') until t[1] * 1000000 + t[2] > e", "0", "a-secret-argument");

        var result = await JobHarness.RunAsync(harness.Job, harness.Metrics);

        var node = harness.Latest.Value!.Nodes.Single();
        node.SlowLog!.NewEntries.ShouldNotBeNull().ShouldBeGreaterThanOrEqualTo(1);
        node.SlowLog.SlowestSeconds.ShouldNotBeNull().ShouldBeGreaterThan(0.6);
        node.SlowLog.SlowestCommand.ShouldBe("EVAL");
        node.Reasons.ShouldHaveSingleItem().Code.ShouldBe(HealthReasons.SlowCommands);
        result.Snapshot!.Value.GetRawText().ShouldNotContain("secret");
        (await harness.ProbeOneAsync()).Reasons.ShouldBeEmpty("it is told once");
    }

    [Fact]
    public async Task Probe_AuthenticatesAndKeepsThePasswordToItself()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { Password = "p,ss:w rd" });
        using var harness = new ProbeHarness(server);

        var result = await JobHarness.RunAsync(harness.Job, harness.Metrics);

        harness.Latest.Value!.Status.ShouldBe(HealthStatus.Healthy);
        result.Snapshot!.Value.GetRawText().ShouldNotContain("p,ss");
    }

    [Fact]
    public async Task Probe_IsUnhealthy_WhenThePasswordIsWrong()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { Password = "right" });
        var options = JobHarness.Options(server);
        options.Url = $"redis://:wrong@{server.Endpoint}";
        using var harness = new ProbeHarness([RedisNode.From(options)]);

        var node = await harness.ProbeOneAsync();

        node.Status.ShouldBe(HealthStatus.Unhealthy);
        node.Up.ShouldBeFalse();
        node.Reasons.ShouldHaveSingleItem().Text.ShouldNotContain("wrong");
    }

    [Fact]
    public async Task Probe_LeavesAbsentWhatGarnetDoesNotReport()
    {
        await using var server = await GarnetServer.StartAsync();
        using var harness = new ProbeHarness(server);

        var result = await JobHarness.RunAsync(harness.Job, harness.Metrics);

        var node = harness.Latest.Value!.Nodes.Single();
        node.Status.ShouldBe(HealthStatus.Healthy, string.Join(' ', node.Reasons));
        node.Canary!.ReadSeconds.ShouldNotBeNull();
        node.Counters?.EvictedKeys.ShouldBeNull();
        node.Memory?.UsedBytes.ShouldBeNull();
        result.Unavailable.ShouldContain("INFO used_memory");
        result.Unavailable.ShouldContain("INFO evicted_keys");
        result.Unavailable.ShouldContain("INFO maxmemory_policy");
        foreach (var absent in (string[])["memory.used", "memory.max", "memory.fragmentation", "evicted_keys", "expired_keys", "keyspace_hits", "keyspace_misses", "eviction_policy_safe"])
        {
            harness.Value($"maintenance.redis.{absent}").ShouldBeNull(absent);
        }
    }

    /// <summary>Only its own deadline, which the test sets, ends a probe soon.</summary>
    private static RedisHealthOptions Patient()
    {
        var options = ProbeHarness.Relaxed();
        (options.CallDeadline, options.ConnectTimeout, options.Deadline) = (TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2));
        return options;
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

    private static async Task FillAsync(RedisServer server)
    {
        try
        {
            await server.ExecuteManyAsync(Enumerable.Range(0, 5000).Select(i => new[] { "SET", $"cache:{i}", new string('x', 1000) }));
            throw new InvalidOperationException("Redis is not full.");
        }
        catch (RespErrorException exception) when (exception.Message.StartsWith("OOM", StringComparison.Ordinal))
        {
            // Full, as wanted.
        }
    }
}
