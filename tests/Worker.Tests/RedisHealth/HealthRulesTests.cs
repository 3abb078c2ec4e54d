using Maintenance.Worker.RedisHealth;

namespace Maintenance.Worker.Tests.RedisHealth;

public sealed class HealthRulesTests
{
    private static readonly NodeHealth Fine = new()
    {
        Node = "redis:6379",
        Up = true,
        Role = "master",
        Loading = false,
        Ping = new PingFigures { Seconds = [0.0002, 0.0003, 0.0004] },
        Canary = new CanaryFigures { WriteSeconds = 0.001, ReadSeconds = 0.001 },
        Memory = new MemoryFigures { UsedBytes = 50, MaxBytes = 100, Policy = "noeviction" },
        Persistence = new PersistenceFigures { LastSnapshotOk = true, AppendOnly = true, LastAppendOk = true },
        EvictedSinceLast = 0,
        RejectedSinceLast = 0,
        ClusterEnabled = false,
    };

    public static TheoryData<string, NodeHealth, HealthStatus> Cases => new()
    {
        { HealthReasons.Unreachable, Fine with { Failure = new ProbeFailure(HealthReasons.Unreachable, "gone") }, HealthStatus.Unhealthy },
        { HealthReasons.NoAnswer, Fine with { Failure = new ProbeFailure(HealthReasons.NoAnswer, "late") }, HealthStatus.Unhealthy },
        { HealthReasons.Loading, Fine with { Loading = true }, HealthStatus.Unhealthy },
        { HealthReasons.ReadOnly, Fine with { Role = "slave" }, HealthStatus.Unhealthy },
        { HealthReasons.OutOfMemory, Refused(HealthReasons.OutOfMemory), HealthStatus.Unhealthy },
        { HealthReasons.WritesStopped, Refused(HealthReasons.WritesStopped), HealthStatus.Unhealthy },
        { HealthReasons.CanaryLost, Refused(HealthReasons.CanaryLost), HealthStatus.Unhealthy },
        { HealthReasons.CanaryRefused, Refused(HealthReasons.CanaryRefused), HealthStatus.Degraded },
        { HealthReasons.ClusterDown, Fine with { ClusterEnabled = true, ClusterState = "fail" }, HealthStatus.Unhealthy },
        { HealthReasons.RejectedConnections, Fine with { RejectedSinceLast = 1 }, HealthStatus.Degraded },
        { HealthReasons.SlowPing, Fine with { Ping = new PingFigures { Seconds = [0.0002, 0.0003, 0.101] } }, HealthStatus.Degraded },
        { HealthReasons.SlowCommands, Fine with { SlowLog = new SlowLogFigures { NewEntries = 2, SlowestSeconds = 0.2, SlowestCommand = "KEYS" } }, HealthStatus.Degraded },
        { HealthReasons.UnsafePolicy, Fine with { Memory = new MemoryFigures { Policy = "allkeys-lru" } }, HealthStatus.Degraded },
        { HealthReasons.UnsafePolicy, Fine with { Memory = new MemoryFigures { Policy = "volatile-ttl" } }, HealthStatus.Degraded },
        { HealthReasons.Evictions, Fine with { EvictedSinceLast = 3 }, HealthStatus.Degraded },
        { HealthReasons.MemoryHigh, Fine with { Memory = new MemoryFigures { UsedBytes = 96, MaxBytes = 100 } }, HealthStatus.Degraded },
        { HealthReasons.PersistenceFailing, Fine with { Persistence = new PersistenceFigures { LastSnapshotOk = false } }, HealthStatus.Degraded },
        { HealthReasons.PersistenceFailing, Fine with { Persistence = new PersistenceFigures { AppendOnly = true, LastAppendOk = false } }, HealthStatus.Degraded },
        { HealthReasons.ReplicaLinkDown, Fine with { PrimaryLinkUp = false }, HealthStatus.Degraded },
        { HealthReasons.ReplicaLag, Fine with { Replicas = [new ReplicaFigures { Node = "r:1", LagBytes = 17 * 1024 * 1024 }] }, HealthStatus.Degraded },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Judge_NamesTheReasonOnceAndWhereToLook(string code, NodeHealth node, HealthStatus status)
    {
        var judged = Judge(node);

        judged.Status.ShouldBe(status);
        var reason = judged.Reasons.ShouldHaveSingleItem();
        reason.Code.ShouldBe(code);
        reason.Status.ShouldBe(status);
        reason.Text.ShouldNotBeEmpty();
        reason.See.ShouldNotBeEmpty();
    }

    [Fact]
    public void Judge_IsHealthy_WhenAllIsWell()
    {
        var judged = Judge(Fine);

        judged.Status.ShouldBe(HealthStatus.Healthy);
        judged.Reasons.ShouldBeEmpty();
        judged.Notes.ShouldBeEmpty();
    }

    [Fact]
    public void Judge_IsHealthy_WhenTheServerReportsNothingButAnswers() =>
        Judge(new NodeHealth { Node = "n:1", Up = true, Ping = Fine.Ping, Canary = Fine.Canary }).Status.ShouldBe(HealthStatus.Healthy);

    [Fact]
    public void Judge_TakesTheWorst_WhenThereAreSeveralReasons()
    {
        var judged = Judge(Refused(HealthReasons.OutOfMemory) with { EvictedSinceLast = 1 });

        judged.Status.ShouldBe(HealthStatus.Unhealthy);
        judged.Reasons.Select(reason => reason.Code).ShouldBe([HealthReasons.OutOfMemory, HealthReasons.Evictions]);
    }

    [Fact]
    public void Judge_LetsAReplicaRefuseWrites_WhenItMayBeOne()
    {
        var replica = Refused(HealthReasons.ReadOnly) with { Role = "slave", PrimaryLinkUp = true };

        HealthRules.Judge(replica, mayBeReplica: true, new RedisHealthOptions()).Status.ShouldBe(HealthStatus.Healthy);
        HealthRules.Judge(replica, mayBeReplica: false, new RedisHealthOptions()).Reasons.ShouldHaveSingleItem().Code.ShouldBe(HealthReasons.ReadOnly);
    }

    [Fact]
    public void Judge_NotesAMissingLimit_WithoutCallingItAReason()
    {
        var judged = Judge(Fine with { Memory = new MemoryFigures { UsedBytes = 5, MaxBytes = 0, Policy = "noeviction" } });

        judged.Status.ShouldBe(HealthStatus.Healthy);
        judged.Notes.ShouldHaveSingleItem().ShouldContain("maxmemory");
    }

    [Fact]
    public void Percentiles_AreByNearestRank()
    {
        var ping = new PingFigures { Seconds = [.. Enumerable.Range(1, 20).Reverse().Select(i => (double)i)] };

        (ping.Min, ping.P50, ping.P95, ping.P99, ping.Max).ShouldBe((1, 10, 19, 20, 20));
    }

    private static NodeHealth Judge(NodeHealth node) => HealthRules.Judge(node, mayBeReplica: false, new RedisHealthOptions());

    private static NodeHealth Refused(string code) => Fine with { Canary = new CanaryFigures { Refused = new ProbeFailure(code, "refused") } };
}
