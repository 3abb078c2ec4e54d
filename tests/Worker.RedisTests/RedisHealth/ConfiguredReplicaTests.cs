using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.RedisHealth;

namespace Maintenance.Worker.RedisTests.RedisHealth;

/// <summary>Replicas that the configuration names, on purpose or by mistake.</summary>
public sealed class ConfiguredReplicaTests
{
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
}
