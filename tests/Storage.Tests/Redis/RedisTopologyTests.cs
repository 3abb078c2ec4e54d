using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Tests.Redis;

public sealed class RedisTopologyTests
{
    // As Redis 7 writes it: a primary with a slot on its way out, one with a host name and one on its way in, a replica, a dead primary that was replaced, one that
    // has just been met, and one without an address.
    private const string Nodes = """
        07c3 127.0.0.1:30004@31004,hostname4 slave e7d1 0 1426238317239 4 connected
        67ed 127.0.0.1:30002@31002 master - 0 1426238316232 2 connected 5461-10922 [5461->-e7d1]
        292f ::1:30003@31003,node-3 master - 0 1426238318243 3 connected 10923-16383 [5461-<-67ed]
        6ec2 127.0.0.1:30005@31005 master,fail - 0 1426238316232 5 disconnected
        824f 127.0.0.1:30006@31006 handshake - 0 0 0 disconnected
        aaaa :0@0 master,noaddr - 0 0 0 disconnected
        e7d1 127.0.0.1:30001@31001 myself,master - 0 0 1 connected 0-5459 5460
        """;

    [Fact]
    public void Parse_ReadsRolesSlotsAndAddresses_AndLeavesOutWhatHasNone()
    {
        var topology = RedisTopology.Parse(Nodes);

        topology.Nodes.Select(node => node.Name).ShouldBe(["127.0.0.1:30004", "127.0.0.1:30002", "[::1]:30003", "127.0.0.1:30005", "127.0.0.1:30001"]);
        topology.Primaries.Select(node => node.Id).ShouldBe(["67ed", "292f", "e7d1"]);
        topology.Nodes[0].IsPrimary.ShouldBeFalse();
        topology.Nodes[3].HasFailed.ShouldBeTrue();
        topology.Nodes[4].Slots.ShouldBe([new SlotRange(0, 5459), new SlotRange(5460, 5460)]);
        topology.UnservedSlots.ShouldBe(0);
    }

    [Fact]
    public void UnservedSlots_AreThoseOfAPrimaryThatFailed_WhichIsStillNamed()
    {
        var topology = RedisTopology.Parse(Nodes.Replace("67ed 127.0.0.1:30002@31002 master -", "67ed 127.0.0.1:30002@31002 master,fail -", StringComparison.Ordinal));

        topology.UnservedSlots.ShouldBe(10922 - 5461 + 1);
        topology.Primaries.Select(node => node.Id).ShouldContain("67ed");
    }

    [Fact]
    public void Layout_ChangesWhenASlotOrAPrimaryDoes_AndNotWithThePings()
    {
        var layout = RedisTopology.Parse(Nodes).Layout;

        RedisTopology.Parse(Nodes.Replace("1426238316232", "1426238319999", StringComparison.Ordinal)).Layout.ShouldBe(layout);
        RedisTopology.Parse(Nodes.Replace("0-5459", "0-5458", StringComparison.Ordinal)).Layout.ShouldNotBe(layout);
    }

    // From the cluster specification, and CLUSTER KEYSLOT.
    [Theory]
    [InlineData("123456789", 12739)]
    [InlineData("foo", 12182)]
    [InlineData("a{Ab}", 12825)]
    [InlineData("b{Ab}c{d}", 12825)]
    public void HashSlot_IsTheServers(string key, int slot) => HashSlot.Of(key).ShouldBe(slot);

    [Fact]
    public void HashSlot_OfAnEmptyTag_IsOfTheWholeName() => HashSlot.Of("a{}b").ShouldNotBe(HashSlot.Of("a{}c"));
}
