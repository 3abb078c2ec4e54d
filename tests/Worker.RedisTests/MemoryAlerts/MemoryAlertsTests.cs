using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.MemoryAlerts;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.MemoryAlerts;

public sealed class MemoryAlertsTests
{
    private const long Limit = 20_000_000;
    private const int ValueBytes = 10_000;

    [Fact]
    public async Task Alerts_BeginAndEndWithHysteresis_WhenMemoryCrossesTheThresholds()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryBytes = Limit, MaxMemoryPolicy = "noeviction" });
        using var harness = new Harness(server);

        (await harness.RunAsync()).Warnings.ShouldBeEmpty();
        harness.Alert("warning").ShouldBe(0);
        harness.Alert("critical").ShouldBe(0);

        await FillToAsync(server, 0.84);
        var warned = await harness.RunAsync();
        harness.Alert("warning").ShouldBe(1);
        harness.Alert("critical").ShouldBe(0);
        warned.Warnings.ShouldHaveSingleItem().ShouldContain(server.Endpoint);

        await FillToAsync(server, 0.93);
        await harness.RunAsync();
        harness.Alert("critical").ShouldBe(1);

        // Below both thresholds, and not yet far enough below the lower one.
        await FillToAsync(server, 0.78);
        await harness.RunAsync();
        harness.Alert("warning").ShouldBe(1);
        harness.Alert("critical").ShouldBe(0);

        await FillToAsync(server, 0.6);
        await harness.RunAsync();
        harness.Alert("warning").ShouldBe(0);
    }

    [Fact]
    public async Task Forecast_IsThere_OnlyWhileMemoryGrows()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryBytes = Limit });
        using var harness = new Harness(server);
        for (var i = 0; i < 4; i++)
        {
            await harness.RunMinuteLaterAsync();
        }

        harness.FullTime().ShouldBeNull();
        for (var i = 1; i <= 8; i++)
        {
            await FillToAsync(server, 0.1 + (0.05 * i));
            await harness.RunMinuteLaterAsync();
        }

        var node = harness.Latest.Value!.Nodes.Single();
        // A twentieth of the limit a minute.
        node.GrowthBytesPerSecond.ShouldNotBeNull().ShouldBe(Limit / 20 / 60.0, Limit / 20 / 60.0 * 0.5);
        harness.FullTime().ShouldNotBeNull().ShouldBe(node.FullAt!.Value.ToUnixTimeMilliseconds() / 1000.0);
        node.FullAt.Value.ShouldBeGreaterThan(harness.Clock.GetUtcNow());
        node.FullAt.Value.ShouldBeLessThan(harness.Clock.GetUtcNow().AddMinutes(60));
    }

    [Fact]
    public async Task Run_WarnsAndTakesTheMachinesMemory_WhenThereIsNoLimit()
    {
        await using var server = await RedisServer.StartAsync();
        using var harness = new Harness(server);

        var result = await harness.RunAsync();

        result.Warnings.ShouldHaveSingleItem().ShouldContain("maxmemory");
        var node = harness.Latest.Value!.Nodes.Single();
        node.LimitSource.ShouldBe(LimitSource.SystemMemory);
        node.LimitBytes.ShouldNotBeNull().ShouldBePositive();
        harness.Alert("warning").ShouldBe(0);
    }

    [Fact]
    public async Task Run_TakesTheConfiguredLimit_AndDoesNotWarn()
    {
        await using var server = await RedisServer.StartAsync();
        using var harness = new Harness(server, new MemoryAlertsOptions { LimitBytes = 1000 });

        await harness.RunAsync();

        var node = harness.Latest.Value!.Nodes.Single();
        node.LimitSource.ShouldBe(LimitSource.Configured);
        node.Critical.ShouldBe(true, "it uses more than 1,000 bytes");
    }

    [Fact]
    public async Task BytesByKind_AreNearTheTruth()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryBytes = 100_000_000 });
        using var harness = new Harness(server, new MemoryAlertsOptions { SampleKeys = 500 });
        await server.ExecuteManyAsync(Enumerable.Range(0, 500).SelectMany(i => new[]
        {
            new[] { "SET", $"cache:{i}", new string('x', 5000) },
            ["SET", $"oauth:state:{i:D22}", "x"],
            ["SET", $"somebody-else:{i}", new string('x', 1000)],
        }));

        await harness.RunAsync();

        var node = harness.Latest.Value!.Nodes.Single();
        node.SampledKeys.ShouldBe(500);
        node.BytesByKind.ShouldNotBeNull().Keys.ShouldBe(["cache", "foreign", "oauth_state"]);
        node.BytesByKind["cache"].ShouldBeInRange(1_500_000, 4_500_000);
        node.BytesByKind["cache"].ShouldBeGreaterThan(node.BytesByKind["foreign"]);
        node.BytesByKind["foreign"].ShouldBeGreaterThan(node.BytesByKind["oauth_state"]);
    }

    [Fact]
    public async Task Run_SaysWhatIsRefused_AndTheRestWorks()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryBytes = Limit, RefusedCommands = ["MEMORY", "CONFIG"] });
        await server.ExecuteAsync("SET", "cache:a", "b");
        using var harness = new Harness(server);

        var result = await harness.RunAsync();

        result.Outcome.ShouldBe(JobOutcome.Success);
        result.Unavailable.ShouldBe(["MEMORY USAGE"]);
        harness.Latest.Value!.Nodes.Single().BytesByKind.ShouldBeNull();
        harness.Alert("warning").ShouldBe(0);
    }

    [Fact]
    public async Task Run_LeavesFiguresAbsent_WhenInfoIsRefused()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { RefusedCommands = ["INFO"] });
        using var harness = new Harness(server);

        var result = await harness.RunAsync();

        result.Outcome.ShouldBe(JobOutcome.Success);
        result.Unavailable.ShouldContain("INFO");
        harness.Alert("warning").ShouldBeNull();
        harness.FullTime().ShouldBeNull();
    }

    [Fact]
    public async Task Alert_GoesOnFiring_WhenRedisIsGone()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryBytes = Limit, MaxMemoryPolicy = "noeviction" });
        using var harness = new Harness(server);
        await FillToAsync(server, 0.85);
        await harness.RunAsync();
        await server.KillAsync();

        var result = await harness.RunAsync();

        result.Outcome.ShouldBe(JobOutcome.Failed);
        harness.Alert("warning").ShouldBe(1);
        harness.Latest.Value!.Nodes.Single().UsedBytes.ShouldBeNull();
    }

    [Fact]
    public async Task Run_LeavesAbsentWhatGarnetDoesNotReport()
    {
        await using var server = await GarnetServer.StartAsync();
        await server.ExecuteAsync("SET", "cache:a", "b");
        using var harness = new Harness(server);

        var result = await harness.RunAsync();

        result.Outcome.ShouldBe(JobOutcome.Success, string.Join(' ', result.Errors));
        result.Unavailable.ShouldContain("INFO used_memory");
        harness.Alert("warning").ShouldBeNull();
        harness.Alert("critical").ShouldBeNull();
        harness.FullTime().ShouldBeNull();
    }

    private static async Task FillToAsync(RedisServer server, double share)
    {
        var next = await server.IntegerAsync("DBSIZE");
        while (await UsedAsync(server) < share * Limit)
        {
            await server.ExecuteAsync("SET", $"cache:{next++}", new string('x', ValueBytes));
        }

        while (next > 0 && await UsedAsync(server) > share * Limit)
        {
            await server.ExecuteAsync("DEL", $"cache:{--next}");
        }
    }

    private static async Task<long> UsedAsync(RedisServer server) =>
        RedisInfo.Parse(await server.StringAsync("INFO", "memory")).Count64("used_memory")!.Value;

    private sealed class Harness : IDisposable
    {
        private readonly TestMeterFactory meters = new();
        private readonly MemoryAlertsJob job;
        private readonly MemoryAlertsMetrics metrics;

        public Harness(RespServer server, MemoryAlertsOptions? options = null)
        {
            options ??= new MemoryAlertsOptions();
            options.CallDeadline = TimeSpan.FromSeconds(20);
            job = new MemoryAlertsJob(
                new RedisNodes([RedisNode.From(JobHarness.Options(server))]), new RedisKeys(""), JobHarness.Monitor(options),
                Latest, Clock);
            metrics = new MemoryAlertsMetrics(meters, Latest);
        }

        public ShiftedTime Clock { get; } = new();

        public LatestSnapshot<MemoryAlertsSnapshot> Latest { get; } = new();

        public Task<JobResult> RunAsync() => JobHarness.RunAsync(job, metrics);

        public Task<JobResult> RunMinuteLaterAsync()
        {
            Clock.Offset += TimeSpan.FromMinutes(1);
            return RunAsync();
        }

        public double? Alert(string level) => Read("maintenance.redis.memory_alert", level);

        public double? FullTime() => Read("maintenance.redis.memory_full.timestamp", null);

        public void Dispose() => meters.Dispose();

        private double? Read(string instrument, string? level)
        {
            using var collector = new MetricCollector<double>(meters, instrument);
            return collector.Observe().SingleOrDefault(measurement => level is null || measurement.Tags["level"] == level)?.Value;
        }
    }

    /// <summary>The system's clock and timers, with a date that the test moves: deadlines stay real.</summary>
    private sealed class ShiftedTime : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset;
    }
}
