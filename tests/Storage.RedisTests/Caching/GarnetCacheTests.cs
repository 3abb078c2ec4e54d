using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Caching;

/// <summary>The contract on the store that the demo embeds.</summary>
public sealed class GarnetCacheTests(GarnetFixture garnet) : CacheContract, IClassFixture<GarnetFixture>
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(garnet.Server, settings);
}
