using System.Diagnostics;
using Maintenance.Testing;
using Maintenance.Worker.RedisHealth;

namespace Maintenance.Worker.RedisTests.RedisHealth;

/// <summary>A probe on a server that is dead, stands still, loads, is full, or cannot save.</summary>
public sealed class ProbeFailureTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task Probe_GoesUnhealthyAndHealthyAgain_WhenRedisIsKilledAndRestarted()
    {
        await using var server = await RedisServer.StartAsync();
        var options = ProbeHarness.Patient();
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
        var options = ProbeHarness.Patient();
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
