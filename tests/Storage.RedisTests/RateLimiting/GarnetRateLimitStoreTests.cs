using Maintenance.Storage.RateLimiting;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.RateLimiting;

/// <summary>The contract on the store that the demo embeds.</summary>
public sealed class GarnetRateLimitStoreTests(GarnetFixture garnet) : RateLimitStoreContract, IClassFixture<GarnetFixture>
{
    private readonly RedisSide side = new(garnet.Server);

    public override async Task DisposeAsync() => await side.DisposeAsync();

    protected override IRateLimitStore CreateStore() => new RedisRateLimitStore(side.Connection, side.Keys, Options);
}
