using Maintenance.Storage.Denylist;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Denylist;

/// <summary>The contract on the store that the demo embeds.</summary>
public sealed class GarnetTokenDenylistTests(GarnetFixture garnet) : TokenDenylistContract, IClassFixture<GarnetFixture>
{
    private readonly RedisSide side = new(garnet.Server);

    public override async Task DisposeAsync() => await side.DisposeAsync();

    protected override ITokenDenylist CreateStore() => new RedisTokenDenylist(side.Connection, side.Keys, Options);
}
