using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.MemoryAlerts;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.RedisTests.RedisHealth;

/// <summary>Replicas without a cluster: nobody configures them, and a failover needs them.</summary>
public sealed class ReplicaTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly RedisHealthOptions settings = ProbeHarness.Relaxed();
    private RedisServer primary = null!;
    private RedisServer replica = null!;

    public async Task InitializeAsync()
    {
        primary = await RedisServer.StartAsync(new RedisServerOptions
        {
            MaxMemoryBytes = 200_000_000,
            MaxMemoryPolicy = "noeviction",
            ConfigurationLines = ["repl-diskless-sync-delay 0"],
        });
        replica = await RedisServer.StartAsync(new RedisServerOptions
        {
            MaxMemoryBytes = 200_000_000,
            MaxMemoryPolicy = "noeviction",
            ExtraArguments = ["--replicaof", "127.0.0.1", $"{primary.Port}"],
        });
        await Eventually.TrueAsync(
            async () => (await primary.StringAsync("INFO", "replication"))!.Contains("state=online", StringComparison.Ordinal), Patience);
        // The primary may know it before the replica does.
        await Eventually.TrueAsync(
            async () => (await replica.StringAsync("INFO", "replication"))!.Contains("master_link_status:up", StringComparison.Ordinal), Patience);
    }

    public async Task DisposeAsync()
    {
        await replica.DisposeAsync();
        await primary.DisposeAsync();
    }

    [Fact]
    public async Task Replica_IsFoundAndProbed_ALostOneIsCounted_AndNamedWhenThereShouldBeMore()
    {
        await using var connection = Connect(JobHarness.Options(primary), out var nodes);
        using var harness = new ProbeHarness(nodes, settings);

        await ProbeAsync(harness);
        var found = harness.Latest.Value!;

        found.Nodes.Select(node => (node.Node, node.Role)).ShouldBe([(primary.Endpoint, "master"), (replica.Endpoint, "slave")]);
        found.Status.ShouldBe(HealthStatus.Healthy, string.Join('\n', found.Nodes.SelectMany(node => node.Reasons)));
        found.Nodes[1].PrimaryLinkUp.ShouldBe(true);
        found.Nodes[1].Memory!.UsedBytes.ShouldNotBeNull();
        harness.Value("maintenance.redis.connected_replicas").ShouldBe(1);

        await replica.KillAsync();
        settings.MinReplicas = 1;
        await Eventually.SucceedsAsync(
            async () =>
            {
                await ProbeAsync(harness);
                harness.Value("maintenance.redis.connected_replicas").ShouldBe(0);
                // The primary may have told of it a moment before it saw that it is gone.
                harness.Latest.Value!.Nodes.ShouldHaveSingleItem();
            },
            Patience);

        harness.Latest.Value!.Status.ShouldBe(HealthStatus.Degraded);
        harness.Latest.Value.Nodes.Single().Reasons.ShouldHaveSingleItem().Code.ShouldBe(HealthReasons.ReplicasMissing);
    }

    [Fact]
    public async Task ReplicaThatStandsStill_IsNamed_AndTakesTheWholeOnlyToDegraded()
    {
        await using var connection = Connect(JobHarness.Options(primary), out var nodes);
        using var harness = new ProbeHarness(nodes, settings);
        await replica.PauseAsync();

        await ProbeAsync(harness);

        await replica.ResumeAsync();
        harness.Latest.Value!.Status.ShouldBe(HealthStatus.Degraded);
        var still = harness.Latest.Value.Nodes.Single(node => node.Node == replica.Endpoint);
        still.Up.ShouldBeFalse();
        still.Status.ShouldBe(HealthStatus.Unhealthy);
    }

    [Fact]
    public async Task Replica_IsFound_AtThePrimaryThatSentinelsName()
    {
        // A primary that a busy machine holds up is not to be replaced here.
        await using var sentinel = await SentinelServer.StartAsync(primary, quorum: 1, TimeSpan.FromMinutes(2));
        var options = new RedisOptions { Deadline = JobHarness.Patience, ConnectTimeout = JobHarness.Patience, Sentinel = { Endpoints = [sentinel.Endpoint] } };
        await using var connection = Connect(options, out var nodes);
        using var harness = new ProbeHarness(nodes, settings);

        await Eventually.SucceedsAsync(
            async () =>
            {
                await ProbeAsync(harness);
                harness.Latest.Value!.Nodes.Select(node => (node.Node, node.Role)).ShouldBe([("mymaster", "master"), (replica.Endpoint, "slave")]);
            },
            Patience);
        harness.Latest.Value!.Nodes[1].RunId.ShouldNotBe(harness.Latest.Value.Nodes[0].RunId, "it is the replica that was asked");
    }

    [Fact]
    public async Task Replica_HasMemoryAlertsOfItsOwn_WithoutASampleOfItsKeys()
    {
        await primary.ExecuteAsync("SET", "cache:one", "value");
        await using var connection = Connect(JobHarness.Options(primary), out var nodes);
        await replica.ExecuteAsync("CONFIG", "SET", "maxmemory", "1000000");
        var job = new MemoryAlertsJob(
            nodes, new RedisKeys(""), JobHarness.Monitor(new MemoryAlertsOptions { CallDeadline = TimeSpan.FromSeconds(20) }), new LatestSnapshot<MemoryAlertsSnapshot>(), TimeProvider.System);

        var result = await JobHarness.RunAsync(job);

        var found = result.ReadSnapshot<MemoryAlertsSnapshot>()!.Nodes;
        found.Select(node => (node.Node, node.Warning)).ShouldBe([(primary.Endpoint, false), (replica.Endpoint, true)]);
        found[0].BytesByKind.ShouldNotBeNull();
        found[1].BytesByKind.ShouldBeNull();
    }

    [Fact]
    public async Task Replica_IsLeftAlone_WhereTheSettingSaysSo()
    {
        settings.Replicas = false;
        await using var connection = Connect(JobHarness.Options(primary), out var nodes);
        (await nodes.ListAsync(CancellationToken.None)).ShouldHaveSingleItem().Name.ShouldBe(primary.Endpoint);
    }

    private static Task<JobResult> ProbeAsync(ProbeHarness harness) => JobHarness.RunAsync(harness.Job, harness.Metrics);

    private RedisConnection Connect(RedisOptions options, out RedisNodes nodes)
    {
        var connection = new RedisConnection(options, TimeProvider.System, NullLogger.Instance);
        nodes = new RedisNodes(Options.Create(options), connection, JobHarness.Monitor(settings));
        return connection;
    }
}
