using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.Tokens;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.OneTimeTokens;

public sealed class MemoryOneTimeTokenTests : OneTimeTokenContract
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new MemoryAuthBed(new ManualTimeProvider(), settings);

    [Theory]
    [MemberData(nameof(Purposes))]
    public async Task Redeem_Denies_WhenTheLifeIsOver(OneTimePurpose purpose)
    {
        await using var bed = Bed();
        var store = bed.Get<IOneTimeTokenStore>();
        var issued = await store.IssueAsync(purpose, "u", null, None);
        await bed.PassAsync(issued.Stored.ExpiresAt - issued.Stored.CreatedAt - TimeSpan.FromMilliseconds(1));
        (await store.PeekAsync(purpose, issued.Token.Value, None)).IsAccepted.ShouldBeTrue();

        await bed.PassAsync(TimeSpan.FromMilliseconds(1));

        (await store.RedeemAsync(purpose, issued.Token.Value, None)).Denial.ShouldBe(TokenDenial.NotFound);
        (await store.IsActiveAsync(purpose, "u", None)).ShouldBeFalse();
    }
}
