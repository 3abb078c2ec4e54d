using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tests.Tokens;
using Maintenance.Storage.Tokens;
using Maintenance.Testing;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.Tests.RefreshTokens;

public sealed class RefreshTokenTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public void Token_HoldsReferenceFamilyAnd256Bits_AndHidesItsSecret()
    {
        var user = UserReference.Of("u");
        var token = RefreshToken.Create(user, TokenId.Random());

        token.Value.Length.ShouldBe(83);
        var parts = token.Value.Split('.');
        (parts[0], parts[1]).ShouldBe((user.Value, token.FamilyId.Value));
        System.Buffers.Text.Base64Url.DecodeFromChars(parts[2]).Length.ShouldBe(32);
        token.ToString().ShouldNotContain(parts[2]);
        token.Hash.Value.ShouldNotContain(parts[2][..22]);
        RefreshToken.TryParse(token.Value, out var parsed).ShouldBeTrue();
        (parsed!.User, parsed.FamilyId, parsed.Hash).ShouldBe((user, token.FamilyId, token.Hash));
    }

    [Fact]
    public void Secrets_AreNeverTheSame() =>
        Enumerable.Range(0, 1000).Select(_ => RefreshToken.Create(UserReference.Of("u"), TokenId.Random()).Value).Distinct().Count().ShouldBe(1000);

    [Theory]
    [InlineData("RotationGrace", "-00:00:01")]
    [InlineData("RotationGrace", "00:05:01")]
    [InlineData("MaxFamiliesPerUser", "0")]
    [InlineData("MaxFamiliesPerUser", "1001")]
    public void Start_NamesAWrongSetting(string setting, string value)
    {
        using var host = new MemoryHost(($"Storage:RefreshTokens:{setting}", value));

        Should.Throw<OptionsValidationException>(() => host.Get<IOptions<RefreshTokenOptions>>().Value).Message.ShouldContain($"Storage:RefreshTokens:{setting} ");
    }

    [Fact]
    public void Defaults_AreTheDocumentedOnes()
    {
        using var host = new MemoryHost();
        var options = host.Get<IOptions<RefreshTokenOptions>>().Value;

        (options.RotationGrace, options.MaxFamiliesPerUser).ShouldBe((TimeSpan.FromSeconds(10), 100));
    }

    [Fact]
    public async Task EveryOperation_IsMeasured_AndPrimedByItsName()
    {
        using var host = new MemoryHost();
        using var durations = new MetricCollector<double>(host.Meters, "authstore.operation.duration");
        var store = host.Get<IRefreshTokenStore>();
        var issue = await store.IssueAsync(new NewRefreshFamily { UserId = "u" }, None);
        var session = SessionToken.Create(UserReference.Of("u")).Id;

        await store.RotateAsync(issue.Token!.Value, None);
        await store.BindSessionAsync("u", issue.Token.FamilyId, session, None);
        await store.ListAsync("u", None);
        await store.RevokeAsync("u", issue.Token.FamilyId, None);
        await store.RevokeAllAsync("u", None);
        await store.RevokeForSessionAsync("u", session, None);
        await store.MoveSessionAsync("u", session, session, None);
        await store.CarryOverAsync("u", null, None);

        MemoryHost.Measured(durations, "refresh_tokens").ShouldBe(host.Primed("refresh_tokens").Operations.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Rotations_AreCountedAsLookups_AndReuseIsDenied()
    {
        using var host = new MemoryHost(("Storage:RefreshTokens:RotationGrace", "00:00:00"));
        using var lookups = new MetricCollector<long>(host.Meters, "authstore.lookups");
        var store = host.Get<IRefreshTokenStore>();
        var issue = await store.IssueAsync(new NewRefreshFamily { UserId = "u" }, None);

        await store.RotateAsync(issue.Token!.Value, None);
        await store.RotateAsync(issue.Token.Value, None);
        await store.RotateAsync(issue.Token.Value, None);

        foreach (var result in new[] { "hit", "denied", "miss" })
        {
            lookups.Sum(("store", "refresh_tokens"), ("result", result)).ShouldBe(1);
        }
    }
}
