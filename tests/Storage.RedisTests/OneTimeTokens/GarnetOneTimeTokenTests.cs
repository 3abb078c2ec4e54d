using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.OneTimeTokens;

/// <summary>The contract on the store that the demo embeds.</summary>
public sealed class GarnetOneTimeTokenTests(GarnetFixture garnet) : OneTimeTokenContract, IClassFixture<GarnetFixture>
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(garnet.Server, settings);
}
