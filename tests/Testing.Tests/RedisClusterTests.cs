namespace Maintenance.Testing.Tests;

public sealed class RedisClusterTests
{
    [Fact]
    public async Task StartAsync_FormsACluster_WhoseNodesShareTheSlotsAndFollowAMove()
    {
        await using var cluster = await RedisCluster.StartAsync(replicas: 1, losesNodes: false);

        cluster.Nodes.Count.ShouldBe(6);
        (await RedisCluster.RoleAsync(cluster.Replicas[2])).ShouldBe("slave");
        var slot = await cluster.SlotAsync("{a}key");
        var from = await cluster.OwnerAsync(slot);
        var to = cluster.Primaries.First(node => node != from);
        await cluster.ExecuteAsync("SET", "{a}key", "1");

        await cluster.MoveSlotAsync(slot, to);

        (await cluster.OwnerAsync("{a}key")).ShouldBe(to);
        (await to.StringAsync("GET", "{a}key")).ShouldBe("1");
        (await cluster.KeysAsync()).ShouldBe(["{a}key"]);
        await cluster.WellAsync();
    }
}
