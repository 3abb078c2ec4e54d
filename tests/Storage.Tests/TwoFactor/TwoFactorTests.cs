using Maintenance.Storage.Redis;
using Maintenance.Storage.Tests.Tokens;
using Maintenance.Storage.Tokens;
using Maintenance.Storage.TwoFactor;
using Maintenance.Testing;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Tests.TwoFactor;

public sealed class TwoFactorTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Theory]
    [InlineData("MaxAttempts", "0")]
    [InlineData("MaxAttempts", "101")]
    [InlineData("MaxAttemptsPerUser", "4")]
    [InlineData("AttemptWindow", "00:00:30")]
    [InlineData("TimeStepMemory", "00:01:00")]
    [InlineData("MaxActivePerUser", "0")]
    public void Start_NamesAWrongSetting(string setting, string value)
    {
        using var host = new MemoryHost(($"Storage:TwoFactor:{setting}", value));

        Should.Throw<OptionsValidationException>(() => host.Get<IOptions<TwoFactorOptions>>().Value).Message.ShouldContain($"Storage:TwoFactor:{setting} ");
    }

    [Fact]
    public void HashCode_DiffersForTheSameCodeOfAnotherChallenge()
    {
        var (one, other) = (SecretToken.Create(UserReference.Of("u")), SecretToken.Create(UserReference.Of("u")));

        ChallengeFormat.HashCode(one, "123456").ShouldBe(ChallengeFormat.HashCode(one, "123456"));
        ChallengeFormat.HashCode(one, "123456").ShouldNotBe(ChallengeFormat.HashCode(other, "123456"));
        ChallengeFormat.HashCode(one, "123456").ShouldNotBe(ChallengeFormat.HashCode(one, "123457"));
        ChallengeFormat.HashCode(one, "").ShouldBeNull();
    }

    [Fact]
    public async Task EveryOperation_IsMeasured_AndPrimedByItsName()
    {
        using var host = new MemoryHost();
        using var durations = new MetricCollector<double>(host.Meters, "authstore.operation.duration");
        using var lookups = new MetricCollector<long>(host.Meters, "authstore.lookups");
        var store = host.Get<ITwoFactorStore>();
        var start = await store.BeginAsync(new NewTwoFactorChallenge { UserId = "u", Method = "email", Code = "1" }, None);

        await store.PeekAsync(start.Token!.Value, None);
        await store.FindActiveAsync("u", None);
        await store.AttemptAsync(start.Token.Value, None);
        await store.RedeemCodeAsync(start.Token.Value, "2", None);
        await store.CompleteAsync(start.Token.Value, null, None);
        await store.AttemptAsync(start.Token.Value, None);
        await store.CancelAsync("u", start.Token.Id, None);
        await store.CancelAllAsync("u", None);
        await store.ForgiveAsync("u", None);

        MemoryHost.Measured(durations, "two_factor").ShouldBe(host.Primed("two_factor").Operations.Order(StringComparer.Ordinal));
        lookups.Sum(("store", "two_factor"), ("result", "hit")).ShouldBe(2);
        lookups.Sum(("store", "two_factor"), ("result", "denied")).ShouldBe(1);
        lookups.Sum(("store", "two_factor"), ("result", "miss")).ShouldBe(1);
    }
}
