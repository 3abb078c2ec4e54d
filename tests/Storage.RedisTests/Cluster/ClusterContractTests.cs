using Maintenance.Storage.Denylist;
using Maintenance.Storage.OAuth;
using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.RedisTests.Analytics;
using Maintenance.Storage.RedisTests.Caching;
using Maintenance.Storage.RedisTests.Denylist;
using Maintenance.Storage.RedisTests.OAuth;
using Maintenance.Storage.RedisTests.OneTimeTokens;
using Maintenance.Storage.RedisTests.Profiles;
using Maintenance.Storage.RedisTests.RateLimiting;
using Maintenance.Storage.RedisTests.RefreshTokens;
using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.RedisTests.TwoFactor;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Cluster;

/// <summary>Sessions on a cluster.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterSessionStoreContractTests(RedisClusterFixture cluster) : ServerSessionStoreContract(cluster.Cluster.Url);

/// <summary>Refresh tokens on a cluster.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterRefreshTokenTests(RedisClusterFixture cluster) : RefreshTokenContract
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(cluster.Cluster.Nodes[0], settings);
}

/// <summary>One-time tokens on a cluster.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterOneTimeTokenTests(RedisClusterFixture cluster) : OneTimeTokenContract
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(cluster.Cluster.Nodes[0], settings);
}

/// <summary>Two-factor challenges on a cluster.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterTwoFactorTests(RedisClusterFixture cluster) : TwoFactorContract
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(cluster.Cluster.Nodes[0], settings);
}

/// <summary>Analytics on a cluster.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterAnalyticsTests(RedisClusterFixture cluster) : AnalyticsContract
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(cluster.Cluster.Nodes[0], settings);
}

/// <summary>Caches on a cluster.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterCacheTests(RedisClusterFixture cluster) : CacheContract
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(cluster.Cluster.Nodes[0], settings);
}

/// <summary>OAuth states on a cluster.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterOAuthStateStoreTests(RedisClusterFixture cluster) : OAuthStateStoreContract
{
    private readonly RedisSide side = new(cluster.Cluster.Nodes[0]);

    public override async Task DisposeAsync() => await side.DisposeAsync();

    protected override IOAuthStateStore CreateStore() => new RedisOAuthStateStore(side.Connection, side.Keys, Options);
}

/// <summary>The denylist on a cluster.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterTokenDenylistTests(RedisClusterFixture cluster) : TokenDenylistContract
{
    private readonly RedisSide side = new(cluster.Cluster.Nodes[0]);

    public override async Task DisposeAsync() => await side.DisposeAsync();

    protected override ITokenDenylist CreateStore() => new RedisTokenDenylist(side.Connection, side.Keys, Options);
}

/// <summary>Rate limits on a cluster.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterRateLimitStoreTests(RedisClusterFixture cluster) : RateLimitStoreContract
{
    private readonly RedisSide side = new(cluster.Cluster.Nodes[0]);

    public override async Task DisposeAsync() => await side.DisposeAsync();

    protected override IRateLimitStore CreateStore() => new RedisRateLimitStore(side.Connection, side.Keys, Options);
}
