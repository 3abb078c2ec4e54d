using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.TwoFactor;

/// <summary>The contract on the store that the demo embeds.</summary>
public sealed class GarnetTwoFactorTests(GarnetFixture garnet) : TwoFactorContract, IClassFixture<GarnetFixture>
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(garnet.Server, settings);
}
