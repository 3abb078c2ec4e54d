using Maintenance.Storage.OAuth;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.OAuth;

/// <summary>The contract on the store that the demo embeds.</summary>
public sealed class GarnetOAuthStateStoreTests(GarnetFixture garnet) : OAuthStateStoreContract, IClassFixture<GarnetFixture>
{
    private readonly RedisSide side = new(garnet.Server);

    public override async Task DisposeAsync() => await side.DisposeAsync();

    protected override IOAuthStateStore CreateStore() => new RedisOAuthStateStore(side.Connection, side.Keys, Options);
}
