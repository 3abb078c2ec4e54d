using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.Lease;
using Maintenance.Worker.MemoryAlerts;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.RedisTests.RedisHealth;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.RedisTests.Cluster;

/// <summary>The probe and the memory alerts on three primaries with a replica each.</summary>
public sealed class ClusterHealthTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(180);

    private readonly LatestSnapshot<RedisHealthSnapshot> latest = new();
    private RedisCluster cluster = null!;
    private RedisConnection connection = null!;
    private RedisNodes nodes = null!;

    public async Task InitializeAsync()
    {
        cluster = await RedisCluster.StartAsync(replicas: 1, new RedisServerOptions { MaxMemoryBytes = 200_000_000, MaxMemoryPolicy = "noeviction" }, losesNodes: false);
        var options = JobHarness.Options(cluster.Nodes[0]);
        connection = new RedisConnection(options, TimeProvider.System, NullLogger.Instance);
        nodes = new RedisNodes(Options.Create(options), connection, JobHarness.Monitor(ProbeHarness.Relaxed()));
    }

    public async Task DisposeAsync()
    {
        await connection.DisposeAsync();
        await cluster.DisposeAsync();
    }

    [Fact]
    public async Task Probe_TellsOfEveryNode_ItsRoleMemoryAndCanary()
    {
        var found = await ProbeAsync();

        found.Nodes.Select(node => node.Node).ShouldBe(cluster.Nodes.Select(node => node.Endpoint), ignoreOrder: true);
        found.Status.ShouldBe(HealthStatus.Healthy, string.Join('\n', found.Nodes.SelectMany(node => node.Reasons)));
        foreach (var node in found.Nodes)
        {
            var isPrimary = cluster.Primaries.Any(primary => primary.Endpoint == node.Node);
            node.Role.ShouldBe(isPrimary ? "master" : "slave", node.Node);
            (node.Canary?.WriteSeconds is not null).ShouldBe(isPrimary, node.Node);
            node.Memory!.UsedBytes.ShouldNotBeNull();
            node.ClusterState.ShouldBe("ok");
        }

        found.Nodes.Select(node => node.RunId).Distinct().Count().ShouldBe(6);
        (await cluster.KeysAsync()).ShouldBeEmpty("each canary is deleted where it was written");
    }

    [Fact]
    public async Task DeadReplica_IsNamed_AndTakesTheWholeOnlyToDegraded()
    {
        await ProbeAsync();
        await cluster.Replicas[1].KillAsync();

        var found = await ProbeAsync();

        found.Status.ShouldBe(HealthStatus.Degraded);
        var dead = found.Nodes.Single(node => node.Node == cluster.Replicas[1].Endpoint);
        dead.Up.ShouldBeFalse();
        dead.Reasons.ShouldContain(reason => reason.Code == HealthReasons.Unreachable);
    }

    [Fact]
    public async Task LostShard_IsUnhealthy_AndSaysHowManySlotsNobodyServes()
    {
        await ProbeAsync();
        await cluster.LoseNodesAsync();
        await cluster.Replicas[0].KillAsync();
        await cluster.Primaries[0].KillAsync();

        RedisHealthSnapshot? found = null;
        await Eventually.TrueAsync(
            async () =>
            {
                found = await ProbeAsync();
                return found.Nodes.Where(node => node.Up && node.Role == "master").All(node => node.Reasons.Any(reason => reason.Code == HealthReasons.ClusterDown) && node.ClusterUnservedSlots == 5461);
            },
            Patience);

        found!.Status.ShouldBe(HealthStatus.Unhealthy);
        found.Nodes.Count.ShouldBe(6);
        found.Nodes.Where(node => node.Up).ShouldAllBe(node => node.ClusterUnservedSlots == 5461);
    }

    [Fact]
    public async Task MemoryAlerts_AreOfEachNode_AndSampleOnlyPrimaries()
    {
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => connection.CallAsync(
            database => database.StringSetAsync($"cache:{i}", new string('x', 1000), TimeSpan.FromMinutes(5)), CancellationToken.None)));
        var job = new MemoryAlertsJob(
            nodes, new RedisKeys(""), JobHarness.Monitor(new MemoryAlertsOptions { LimitBytes = 1, CallDeadline = TimeSpan.FromSeconds(20) }), new LatestSnapshot<MemoryAlertsSnapshot>(), TimeProvider.System);

        var result = await JobHarness.RunAsync(job);

        result.Counts["nodes_critical"].ShouldBe(6);
        foreach (var node in result.ReadSnapshot<MemoryAlertsSnapshot>()!.Nodes)
        {
            var isPrimary = cluster.Primaries.Any(primary => primary.Endpoint == node.Node);
            (node.BytesByKind?.GetValueOrDefault("cache") > 0).ShouldBe(isPrimary, node.Node);
            node.UsedBytes!.Value.ShouldBePositive();
        }
    }

    [Fact]
    public async Task Worker_ServesAndRunsItsVerbs_FromOneNodeOfACluster()
    {
        await using (var sweep = new SweepHarness(cluster.Nodes[0]))
        {
            await sweep.PopulateAsync(40);
        }

        var (checkedExit, health, _) = await WorkerProcess.VerbAsync(cluster.Nodes[1].Url, ["check", "--json"]);
        checkedExit.ShouldBe(0, health);
        var (exit, output, errors) = await WorkerProcess.VerbAsync(cluster.Nodes[1].Url, ["run", "index-reconciliation", "--json"]);
        exit.ShouldBe(0, output + errors);
        output.ShouldContain("\"primaries\":3");
    }

    private async Task<RedisHealthSnapshot> ProbeAsync()
    {
        var probe = new RedisProbe(nodes, new RedisKeys(""), JobHarness.Monitor(ProbeHarness.Relaxed()), TimeProvider.System);
        var result = await JobHarness.RunAsync(new RedisHealthJob(probe, latest));
        latest.Take(result);
        return latest.Value!;
    }
}
