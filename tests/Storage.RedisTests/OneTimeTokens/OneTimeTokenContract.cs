using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.RedisTests.OneTimeTokens;

/// <summary>What every store of one-time tokens does.</summary>
public abstract class OneTimeTokenContract
{
    protected static readonly CancellationToken None = CancellationToken.None;

    public static TheoryData<OneTimePurpose> Purposes => new(Enum.GetValues<OneTimePurpose>());

    protected abstract AuthBed Bed(params (string Name, string Value)[] settings);

    [Theory]
    [MemberData(nameof(Purposes))]
    public async Task Redeem_GivesBackWhatWasIssued_Once(OneTimePurpose purpose)
    {
        await using var bed = Bed();
        var store = bed.Get<IOneTimeTokenStore>();
        var userId = AuthBed.NewUserId();
        var issued = await store.IssueAsync(purpose, userId, "a@example.org", None);

        var redemption = await store.RedeemAsync(purpose, issued.Token.Value, None);

        redemption.Token.ShouldBe(issued.Stored);
        redemption.Token!.UserId.ShouldBe(userId);
        redemption.Token.Data.ShouldBe("a@example.org");
        redemption.Token.Purpose.ShouldBe(purpose);
        (await store.RedeemAsync(purpose, issued.Token.Value, None)).Denial.ShouldBe(TokenDenial.NotFound);
    }

    [Theory]
    [MemberData(nameof(Purposes))]
    public async Task Redeem_AcceptsExactlyOne_WhenTwoHundredComeAtOnce(OneTimePurpose purpose)
    {
        await using var bed = Bed();
        var store = bed.Get<IOneTimeTokenStore>();
        var issued = await store.IssueAsync(purpose, AuthBed.NewUserId(), null, None);

        var redemptions = await AuthBed.AtOnceAsync(200, _ => store.RedeemAsync(purpose, issued.Token.Value, None));

        redemptions.Count(redemption => redemption.IsAccepted).ShouldBe(1);
        redemptions.Count(redemption => redemption.Denial == TokenDenial.NotFound).ShouldBe(199);
    }

    [Fact]
    public async Task Redeem_Denies_WhenTheTokenIsForAnotherPurpose()
    {
        await using var bed = Bed();
        var store = bed.Get<IOneTimeTokenStore>();
        var issued = await store.IssueAsync(OneTimePurpose.EmailVerification, AuthBed.NewUserId(), null, None);

        (await store.RedeemAsync(OneTimePurpose.PasswordReset, issued.Token.Value, None)).Denial.ShouldBe(TokenDenial.NotFound);

        (await store.RedeemAsync(OneTimePurpose.EmailVerification, issued.Token.Value, None)).IsAccepted.ShouldBeTrue();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAA.short")]
    [InlineData("AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+=")]
    public async Task Redeem_DeniesAsMalformed_WhatCannotBeAToken(string? token)
    {
        await using var bed = Bed();

        (await bed.Get<IOneTimeTokenStore>().RedeemAsync(OneTimePurpose.MagicLink, token, None)).Denial.ShouldBe(TokenDenial.Malformed);
    }

    [Fact]
    public async Task Redeem_Denies_WhenTheUserIsForged()
    {
        await using var bed = Bed();
        var store = bed.Get<IOneTimeTokenStore>();
        var issued = await store.IssueAsync(OneTimePurpose.PasswordReset, AuthBed.NewUserId(), null, None);
        var forged = UserReference.Of(AuthBed.NewUserId()).Value + issued.Token.Value[UserReference.Length..];

        (await store.RedeemAsync(OneTimePurpose.PasswordReset, forged, None)).IsAccepted.ShouldBeFalse();
    }

    [Fact]
    public async Task Redeem_Denies_WhenTheUserHasBeenLoggedOutEverywhere()
    {
        await using var bed = Bed();
        var store = bed.Get<IOneTimeTokenStore>();
        var userId = AuthBed.NewUserId();
        var issued = await store.IssueAsync(OneTimePurpose.MagicLink, userId, null, None);

        await bed.Sessions.RevokeAllAsync(userId, null, None);

        (await store.RedeemAsync(OneTimePurpose.MagicLink, issued.Token.Value, None)).Denial.ShouldBe(TokenDenial.Revoked);
        (await store.IsActiveAsync(OneTimePurpose.MagicLink, userId, None)).ShouldBeFalse();
    }

    [Fact]
    public async Task Peek_LeavesTheTokenToBeRedeemed()
    {
        await using var bed = Bed();
        var store = bed.Get<IOneTimeTokenStore>();
        var issued = await store.IssueAsync(OneTimePurpose.PasswordReset, AuthBed.NewUserId(), null, None);

        (await store.PeekAsync(OneTimePurpose.PasswordReset, issued.Token.Value, None)).Token.ShouldBe(issued.Stored);
        (await store.PeekAsync(OneTimePurpose.PasswordReset, issued.Token.Value, None)).IsAccepted.ShouldBeTrue();
        (await store.RedeemAsync(OneTimePurpose.PasswordReset, issued.Token.Value, None)).IsAccepted.ShouldBeTrue();
        (await store.PeekAsync(OneTimePurpose.PasswordReset, issued.Token.Value, None)).Denial.ShouldBe(TokenDenial.NotFound);
    }

    [Fact]
    public async Task Issue_TakesTheLifeOfThePurpose()
    {
        await using var bed = Bed(("RESET_TOKEN_TTL_HOURS", "1"), ("Storage:OneTimeTokens:MagicLink", "00:05:00"));
        var store = bed.Get<IOneTimeTokenStore>();
        async Task<TimeSpan> LifeAsync(OneTimePurpose purpose)
        {
            var stored = (await store.IssueAsync(purpose, AuthBed.NewUserId(), null, None)).Stored;
            return stored.ExpiresAt - stored.CreatedAt;
        }

        (await LifeAsync(OneTimePurpose.PasswordReset)).ShouldBe(TimeSpan.FromHours(1));
        (await LifeAsync(OneTimePurpose.MagicLink)).ShouldBe(TimeSpan.FromMinutes(5));
        (await LifeAsync(OneTimePurpose.EmailVerification)).ShouldBe(TimeSpan.FromHours(24));
    }

    [Fact]
    public async Task Issue_LetsTheOldestLeave_WhenTheUserHasTheMost()
    {
        await using var bed = Bed(("Storage:OneTimeTokens:MaxActivePerUser", "2"));
        var store = bed.Get<IOneTimeTokenStore>();
        var userId = AuthBed.NewUserId();
        var issued = new List<IssuedOneTimeToken>();
        for (var i = 0; i < 3; i++)
        {
            issued.Add(await store.IssueAsync(OneTimePurpose.PasswordReset, userId, null, None));
            await bed.PassAsync(TimeSpan.FromMilliseconds(2));
        }

        issued.Select(token => token.EvictedTokens).ShouldBe([0, 0, 1]);
        (await store.CountActiveAsync(OneTimePurpose.PasswordReset, userId, None)).ShouldBe(2);
        (await store.RedeemAsync(OneTimePurpose.PasswordReset, issued[0].Token.Value, None)).Denial.ShouldBe(TokenDenial.NotFound);
        (await store.RedeemAsync(OneTimePurpose.PasswordReset, issued[2].Token.Value, None)).IsAccepted.ShouldBeTrue();
        (await store.RedeemAsync(OneTimePurpose.PasswordReset, issued[1].Token.Value, None)).IsAccepted.ShouldBeTrue();
    }

    [Fact]
    public async Task Issue_Throws_WhenTheDataIsTooLong()
    {
        await using var bed = Bed();
        var store = bed.Get<IOneTimeTokenStore>();

        await Should.ThrowAsync<ArgumentException>(
            () => store.IssueAsync(OneTimePurpose.MagicLink, "u", new string('x', OneTimeToken.MaxDataBytes + 1), None));
    }

    [Fact]
    public async Task IsActive_IsTrueUntilTheTokenIsRedeemed_AndForItsPurposeOnly()
    {
        await using var bed = Bed();
        var store = bed.Get<IOneTimeTokenStore>();
        var userId = AuthBed.NewUserId();
        (await store.IsActiveAsync(OneTimePurpose.PasswordReset, userId, None)).ShouldBeFalse();
        var issued = await store.IssueAsync(OneTimePurpose.PasswordReset, userId, null, None);

        (await store.IsActiveAsync(OneTimePurpose.PasswordReset, userId, None)).ShouldBeTrue();
        (await store.IsActiveAsync(OneTimePurpose.MagicLink, userId, None)).ShouldBeFalse();

        await store.RedeemAsync(OneTimePurpose.PasswordReset, issued.Token.Value, None);
        (await store.IsActiveAsync(OneTimePurpose.PasswordReset, userId, None)).ShouldBeFalse();
    }

    [Fact]
    public async Task InvalidateAll_EndsEveryTokenOfThePurposeOrOfAll()
    {
        await using var bed = Bed();
        var store = bed.Get<IOneTimeTokenStore>();
        var userId = AuthBed.NewUserId();
        var other = AuthBed.NewUserId();
        var reset = await store.IssueAsync(OneTimePurpose.PasswordReset, userId, null, None);
        var link = await store.IssueAsync(OneTimePurpose.MagicLink, userId, null, None);
        var others = await store.IssueAsync(OneTimePurpose.PasswordReset, other, null, None);

        (await store.InvalidateAllAsync(OneTimePurpose.PasswordReset, userId, None)).Ended.ShouldBe(1);

        (await store.RedeemAsync(OneTimePurpose.PasswordReset, reset.Token.Value, None)).IsAccepted.ShouldBeFalse();
        (await store.PeekAsync(OneTimePurpose.MagicLink, link.Token.Value, None)).IsAccepted.ShouldBeTrue();
        (await store.InvalidateAllAsync(userId, None)).Ended.ShouldBe(1);
        (await store.PeekAsync(OneTimePurpose.MagicLink, link.Token.Value, None)).IsAccepted.ShouldBeFalse();
        (await store.RedeemAsync(OneTimePurpose.PasswordReset, others.Token.Value, None)).IsAccepted.ShouldBeTrue();
    }

    [Fact]
    public async Task PasswordReset_EndsSessionsFamiliesAndOtherTokensOfTheUser()
    {
        await using var bed = Bed();
        var store = bed.Get<IOneTimeTokenStore>();
        var userId = AuthBed.NewUserId();
        var session = await bed.Sessions.CreateAsync(new NewSession { UserId = userId }, None);
        var family = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = userId, SessionId = session.Token.Id }, None);
        var another = await store.IssueAsync(OneTimePurpose.PasswordReset, userId, null, None);
        var link = await store.IssueAsync(OneTimePurpose.MagicLink, userId, null, None);
        var reset = await store.IssueAsync(OneTimePurpose.PasswordReset, userId, null, None);
        IssuedSession? withOldPassword = null;

        var redemption = await bed.Get<PasswordReset>().ResetAsync(
            reset.Token.Value,
            async (changed, token) =>
            {
                changed.ShouldBe(userId);
                (await bed.Sessions.ValidateAsync(session.Token.Value, token)).IsValid.ShouldBeFalse();
                // A log-in with the old password that comes just before the new one is stored.
                withOldPassword = await bed.Sessions.CreateAsync(new NewSession { UserId = userId }, token);
            },
            None);

        redemption.IsAccepted.ShouldBeTrue();
        (await bed.Sessions.ValidateAsync(withOldPassword!.Token.Value, None)).IsValid.ShouldBeFalse();
        (await bed.Families.RotateAsync(family.Token!.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await store.RedeemAsync(OneTimePurpose.PasswordReset, another.Token.Value, None)).IsAccepted.ShouldBeFalse();
        (await store.RedeemAsync(OneTimePurpose.MagicLink, link.Token.Value, None)).IsAccepted.ShouldBeFalse();
    }

    [Fact]
    public async Task PasswordReset_EndsWhatTheOldPasswordMade_WhenTheClientHangsUp()
    {
        await using var bed = Bed();
        var userId = AuthBed.NewUserId();
        using var client = new CancellationTokenSource();
        var issued = await bed.Get<IOneTimeTokenStore>().IssueAsync(OneTimePurpose.PasswordReset, userId, null, None);
        IssuedSession? between = null;

        var redemption = await new PasswordReset(bed.Get<IOneTimeTokenStore>(), bed.Sessions).ResetAsync(
            issued.Token.Value,
            async (user, _) =>
            {
                between = await bed.Sessions.CreateAsync(new NewSession { UserId = user }, None);
                await client.CancelAsync();
            },
            client.Token);

        redemption.IsAccepted.ShouldBeTrue();
        (await bed.Sessions.ValidateAsync(between!.Token.Value, None)).IsValid.ShouldBeFalse();
    }

    [Fact]
    public async Task PasswordReset_ChangesNothing_WhenTheTokenIsDenied()
    {
        await using var bed = Bed();
        var userId = AuthBed.NewUserId();
        var session = await bed.Sessions.CreateAsync(new NewSession { UserId = userId }, None);
        var called = false;

        var redemption = await bed.Get<PasswordReset>().ResetAsync(
            $"{UserReference.Of(userId).Value}.{new string('A', 43)}",
            (_, _) =>
            {
                called = true;
                return Task.CompletedTask;
            },
            None);

        redemption.IsAccepted.ShouldBeFalse();
        called.ShouldBeFalse();
        (await bed.Sessions.ValidateAsync(session.Token.Value, None)).IsValid.ShouldBeTrue();
    }
}
