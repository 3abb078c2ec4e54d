using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Tests.Tokens;
using Maintenance.Storage.Tokens;
using Maintenance.Testing;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Tests.OneTimeTokens;

public sealed class OneTimeTokenTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public void Token_HidesItsSecret_AndIsNamedByAHash()
    {
        var token = SecretToken.Create(UserReference.Of("u"));
        var secret = token.Value.Split('.')[1];

        System.Buffers.Text.Base64Url.DecodeFromChars(secret).Length.ShouldBe(32);
        token.ToString().ShouldNotContain(secret);
        token.Id.ShouldBe(TokenId.OfSecret(secret));
        SecretToken.TryParse(token.Value, out var parsed).ShouldBeTrue();
        parsed!.Id.ShouldBe(token.Id);
    }

    [Theory]
    [InlineData("EmailVerification", "00:00:10")]
    [InlineData("MagicLink", "2.00:00:00")]
    [InlineData("MaxActivePerUser", "0")]
    [InlineData("MaxActivePerUser", "101")]
    public void Start_NamesAWrongSetting(string setting, string value)
    {
        using var host = new MemoryHost(($"Storage:OneTimeTokens:{setting}", value));

        Should.Throw<OptionsValidationException>(() => host.Get<IOptions<OneTimeTokenOptions>>().Value).Message.ShouldContain($"Storage:OneTimeTokens:{setting} ");
    }

    [Fact]
    public async Task EveryOperation_IsMeasured_AndPrimedByItsName()
    {
        using var host = new MemoryHost();
        using var durations = new MetricCollector<double>(host.Meters, "authstore.operation.duration");
        using var lookups = new MetricCollector<long>(host.Meters, "authstore.lookups");
        var store = host.Get<IOneTimeTokenStore>();
        var issued = await store.IssueAsync(OneTimePurpose.MagicLink, "u", null, None);

        await store.PeekAsync(OneTimePurpose.MagicLink, issued.Token.Value, None);
        await store.CountActiveAsync(OneTimePurpose.MagicLink, "u", None);
        await store.RedeemAsync(OneTimePurpose.MagicLink, issued.Token.Value, None);
        await store.RedeemAsync(OneTimePurpose.MagicLink, issued.Token.Value, None);
        await store.RedeemAsync(OneTimePurpose.MagicLink, "nonsense", None);
        await store.InvalidateAllAsync(OneTimePurpose.MagicLink, "u", None);

        MemoryHost.Measured(durations, "one_time_tokens").ShouldBe(host.Primed("one_time_tokens").Operations.Order(StringComparer.Ordinal));
        lookups.Sum(("store", "one_time_tokens"), ("result", "hit")).ShouldBe(2);
        lookups.Sum(("store", "one_time_tokens"), ("result", "miss")).ShouldBe(1);
        lookups.Sum(("store", "one_time_tokens"), ("result", "denied")).ShouldBe(1);
    }
}
