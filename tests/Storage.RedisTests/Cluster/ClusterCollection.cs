using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Cluster;

/// <summary>One cluster of three primaries for every class that only needs one to be there.</summary>
[CollectionDefinition(Name)]
public sealed class ClusterCollection : ICollectionFixture<RedisClusterFixture>
{
    public const string Name = "cluster";
}
