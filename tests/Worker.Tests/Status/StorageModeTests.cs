using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Status.Page;

namespace Maintenance.Worker.Tests.Status;

public sealed class StorageModeTests
{
    [Theory]
    [InlineData(0, false, false, false, "")]
    [InlineData(0, false, true, true, "found by Sentinels, with a durable copy in PostgreSQL")]
    [InlineData(1, false, false, false, "one server")]
    [InlineData(1, false, false, true, "one server, with a durable copy in PostgreSQL")]
    [InlineData(2, false, true, false, "a primary with 1 replica, found by Sentinels")]
    [InlineData(3, false, false, false, "a primary with 2 replicas")]
    [InlineData(6, true, false, false, "a cluster of 6 nodes")]
    public void Mode_IsInWords(int nodes, bool cluster, bool sentinel, bool archive, string expected) => StorageMode.Describe(
        [.. Enumerable.Range(0, nodes).Select(i => new NodeHealth { Node = $"redis-{i}:6379", ClusterEnabled = cluster })], sentinel, archive).ShouldBe(expected);
}
