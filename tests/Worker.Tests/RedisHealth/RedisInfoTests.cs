using Maintenance.Worker.RedisHealth;

namespace Maintenance.Worker.Tests.RedisHealth;

public sealed class RedisInfoTests
{
    private const string Primary =
        "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\n\r\n# Memory\r\nused_memory:1048576\r\nmaxmemory:0\r\nmem_fragmentation_ratio:1.25\r\n"
        + "# Replication\r\nrole:master\r\nslave0:ip=10.0.0.1,port=6380,state=online,offset=900,lag=1\r\n"
        + "slave1:ip=10.0.0.2,port=6380,state=wait_bgsave,offset=0,lag=0\r\nmaster_repl_offset:1000\r\n";

    [Fact]
    public void Parse_ReadsFieldsOfEverySection()
    {
        var info = RedisInfo.Parse(Primary);

        info.Text("redis_version").ShouldBe("7.0.15");
        info.Count64("used_memory").ShouldBe(1048576);
        info.Count64("maxmemory").ShouldBe(0);
        info.Ratio("mem_fragmentation_ratio").ShouldBe(1.25);
    }

    [Fact]
    public void Parse_ReportsEachReplicaWithItsDistance()
    {
        RedisInfo.Parse(Primary).Replicas().ShouldBe(
        [
            new ReplicaFigures { Node = "10.0.0.1:6380", State = "online", LagBytes = 100 },
            new ReplicaFigures { Node = "10.0.0.2:6380", State = "wait_bgsave", LagBytes = 1000 },
        ]);
    }

    [Fact]
    public void Parse_GivesNull_WhenAFieldIsAbsent()
    {
        var info = RedisInfo.Parse("redis_version:7.4.0\r\n");

        info.Count64("used_memory").ShouldBeNull();
        info.Ratio("mem_fragmentation_ratio").ShouldBeNull();
        info.Flag("loading").ShouldBeNull();
        info.Ok("rdb_last_bgsave_status").ShouldBeNull();
        info.Replicas().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("used_memory:")]
    [InlineData("used_memory:many")]
    [InlineData("used_memory:-1")]
    [InlineData("used_memory:1.5")]
    [InlineData("used_memory:99999999999999999999999")]
    [InlineData("used_memory")]
    [InlineData("# used_memory:5")]
    [InlineData(":5")]
    [InlineData("used_memory:0x10")]
    public void Count_IsNull_WhenTheValueIsGarbage(string line) => RedisInfo.Parse($"a:b\n{line}\n\u0000:\u0001\n").Count64("used_memory").ShouldBeNull();

    [Theory]
    [InlineData("NaN")]
    [InlineData("inf")]
    [InlineData("-nan")]
    [InlineData("1e400")]
    public void Ratio_IsNull_WhenItIsNoFiniteNumber(string value) => RedisInfo.Parse($"ratio:{value}").Ratio("ratio").ShouldBeNull();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("\r\n\r\n:::\r\n#\r\n")]
    [InlineData("-ERR unknown command 'INFO'")]
    public void Parse_FindsNothing_WhenTheAnswerIsNoInfo(string? text) => RedisInfo.Parse(text).Count.ShouldBe(0);

    [Fact]
    public void Parse_KeepsColonsOfAValue() => RedisInfo.Parse("listener0:name=tcp,bind=::1").Text("listener0").ShouldBe("name=tcp,bind=::1");

    [Theory]
    [InlineData("slave0:garbage")]
    [InlineData("slave0:ip=1.1.1.1")]
    [InlineData("slave0:=,=,,")]
    public void Replicas_PassOverALineThatIsNone(string line) => RedisInfo.Parse(line).Replicas().ShouldBeEmpty();

    [Fact]
    public void Lag_IsNull_WhenAnOffsetIsMissing() =>
        RedisInfo.Parse("slave0:ip=h,port=1,state=online,offset=x\nmaster_repl_offset:9").Replicas().Single().LagBytes.ShouldBeNull();
}
