using Maintenance.Testing;
using Maintenance.Worker.RedisHealth;

namespace Maintenance.Worker.RedisTests.RedisHealth;

/// <summary>What a probe measures and reports of a server that answers.</summary>
public sealed class ProbeFiguresTests
{
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
        // A busy machine may hold the server up in another command.
        await Eventually.TrueAsync(async () => (await harness.ProbeOneAsync()).Reasons.Count == 0, because: "it is told once");
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
}
