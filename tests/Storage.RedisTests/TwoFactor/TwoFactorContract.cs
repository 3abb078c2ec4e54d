using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;
using Maintenance.Storage.TwoFactor;

namespace Maintenance.Storage.RedisTests.TwoFactor;

/// <summary>What every store of two-factor challenges does.</summary>
public abstract partial class TwoFactorContract
{
    protected static readonly CancellationToken None = CancellationToken.None;

    protected abstract AuthBed Bed(params (string Name, string Value)[] settings);

    [Fact]
    public async Task Begin_GivesAChallengeThatPeekReads()
    {
        await using var bed = Bed();
        var store = bed.Get<ITwoFactorStore>();
        var userId = AuthBed.NewUserId();

        var start = await store.BeginAsync(new NewTwoFactorChallenge { UserId = userId, Method = "totp", Data = "remember" }, None);

        start.IsBegun.ShouldBeTrue();
        var challenge = await store.PeekAsync(start.Token!.Value, None);
        challenge.ShouldBe(start.Challenge);
        challenge!.UserId.ShouldBe(userId);
        challenge.Method.ShouldBe("totp");
        challenge.Data.ShouldBe("remember");
        challenge.AttemptsLeft.ShouldBe(5);
        (challenge.ExpiresAt - challenge.CreatedAt).ShouldBe(TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task Begin_TakesItsLifeFromTheOptions()
    {
        await using var bed = Bed(("MFA_TOKEN_TTL_MINUTES", "2"));

        var challenge = (await BeginAsync(bed, AuthBed.NewUserId())).Challenge!;

        (challenge.ExpiresAt - challenge.CreatedAt).ShouldBe(TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task Forgive_EndsAUsersLock_ButACodeThatWasUsedStaysUsed()
    {
        await using var bed = Bed(("Storage:TwoFactor:MaxAttempts", "3"), ("Storage:TwoFactor:MaxAttemptsPerUser", "3"));
        var store = bed.Get<ITwoFactorStore>();
        var (userId, other) = (AuthBed.NewUserId(), AuthBed.NewUserId());
        (await store.ForgiveAsync(userId, None)).ShouldBeFalse();
        var first = await BeginAsync(bed, userId);
        await store.AttemptAsync(first.Token!.Value, None);
        (await store.CompleteAsync(first.Token.Value, 1000, None)).Outcome.ShouldBe(TwoFactorOutcome.Completed);
        var locked = await BeginAsync(bed, userId);
        for (var i = 0; i < 3; i++)
        {
            await store.AttemptAsync(locked.Token!.Value, None);
        }

        (await BeginAsync(bed, userId)).IsBegun.ShouldBeFalse();
        (await store.ForgiveAsync(other, None)).ShouldBeFalse();
        (await store.ForgiveAsync(userId, None)).ShouldBeTrue();

        var again = await BeginAsync(bed, userId);
        (await store.AttemptAsync(again.Token!.Value, None)).Outcome.ShouldBe(TwoFactorOutcome.Allowed);
        (await store.CompleteAsync(again.Token.Value, 1000, None)).Outcome.ShouldBe(TwoFactorOutcome.StepUsed);
        (await store.CompleteAsync(again.Token.Value, 1001, None)).Outcome.ShouldBe(TwoFactorOutcome.Completed);
        (await store.AttemptAsync(locked.Token!.Value, None)).Outcome.ShouldBe(TwoFactorOutcome.Locked);
    }

    [Fact]
    public async Task Complete_EndsTheChallenge_Once()
    {
        await using var bed = Bed();
        var store = bed.Get<ITwoFactorStore>();
        var start = await BeginAsync(bed, AuthBed.NewUserId());
        (await store.AttemptAsync(start.Token!.Value, None)).Outcome.ShouldBe(TwoFactorOutcome.Allowed);

        var completions = await AuthBed.AtOnceAsync(200, _ => store.CompleteAsync(start.Token.Value, null, None));

        completions.Count(completion => completion.Outcome == TwoFactorOutcome.Completed).ShouldBe(1);
        completions.Count(completion => completion.Denial == TokenDenial.NotFound).ShouldBe(199);
        (await store.PeekAsync(start.Token.Value, None)).ShouldBeNull();
    }

    [Fact]
    public async Task Complete_Refuses_WhenNoAttemptWasCounted()
    {
        await using var bed = Bed();
        var start = await BeginAsync(bed, AuthBed.NewUserId());

        (await bed.Get<ITwoFactorStore>().CompleteAsync(start.Token!.Value, null, None)).Outcome.ShouldBe(TwoFactorOutcome.NotAttempted);
    }

    [Fact]
    public async Task Attempt_LocksTheChallengeAtTheLimit_AndCountsDown()
    {
        await using var bed = Bed(("Storage:TwoFactor:MaxAttempts", "3"));
        var store = bed.Get<ITwoFactorStore>();
        var userId = AuthBed.NewUserId();
        var start = await BeginAsync(bed, userId);
        foreach (var left in new[] { 2, 1, 0 })
        {
            var attempt = await store.AttemptAsync(start.Token!.Value, None);
            attempt.Outcome.ShouldBe(TwoFactorOutcome.Allowed);
            attempt.Challenge!.AttemptsLeft.ShouldBe(left);
        }

        var locked = await store.AttemptAsync(start.Token!.Value, None);

        locked.Outcome.ShouldBe(TwoFactorOutcome.Locked);
        locked.Challenge!.IsLocked.ShouldBeTrue();
        (await store.FindActiveAsync(userId, None)).ShouldBeNull();
    }

    [Fact]
    public async Task Complete_Works_WhenTheLastAttemptWasRight()
    {
        await using var bed = Bed(("Storage:TwoFactor:MaxAttempts", "1"));
        var store = bed.Get<ITwoFactorStore>();
        var start = await BeginAsync(bed, AuthBed.NewUserId());
        await store.AttemptAsync(start.Token!.Value, None);

        (await store.CompleteAsync(start.Token.Value, null, None)).Outcome.ShouldBe(TwoFactorOutcome.Completed);
    }

    [Fact]
    public async Task Attempt_LetsExactlyTheLimitThrough_WhenTwoHundredComeAtOnce()
    {
        await using var bed = Bed(("Storage:TwoFactor:MaxAttempts", "7"));
        var store = bed.Get<ITwoFactorStore>();
        var start = await BeginAsync(bed, AuthBed.NewUserId());

        var attempts = await AuthBed.AtOnceAsync(200, _ => store.AttemptAsync(start.Token!.Value, None));

        attempts.Count(attempt => attempt.Outcome == TwoFactorOutcome.Allowed).ShouldBe(7);
        attempts.Count(attempt => attempt.Outcome == TwoFactorOutcome.Locked).ShouldBe(193);
        attempts.Where(attempt => attempt.Outcome == TwoFactorOutcome.Allowed).Select(attempt => attempt.Challenge!.Attempts).Order()
            .ShouldBe([1, 2, 3, 4, 5, 6, 7]);
    }

    [Fact]
    public async Task Attempt_LetsExactlyTheUsersLimitThrough_OverAllChallengesAtOnce()
    {
        await using var bed = Bed(("Storage:TwoFactor:MaxAttempts", "5"), ("Storage:TwoFactor:MaxAttemptsPerUser", "11"));
        var store = bed.Get<ITwoFactorStore>();
        var userId = AuthBed.NewUserId();
        var starts = new List<TwoFactorStart>();
        for (var i = 0; i < 4; i++)
        {
            starts.Add(await BeginAsync(bed, userId));
        }

        var attempts = await AuthBed.AtOnceAsync(200, i => store.AttemptAsync(starts[i % 4].Token!.Value, None));

        attempts.Count(attempt => attempt.Outcome == TwoFactorOutcome.Allowed).ShouldBe(11);
    }

    [Fact]
    public async Task Begin_RefusesAUserWithoutAttempts_UntilTheWindowHasPassed()
    {
        await using var bed = Bed(("Storage:TwoFactor:MaxAttempts", "2"), ("Storage:TwoFactor:MaxAttemptsPerUser", "3"));
        var store = bed.Get<ITwoFactorStore>();
        var userId = AuthBed.NewUserId();
        var first = await BeginAsync(bed, userId);
        await store.AttemptAsync(first.Token!.Value, None);
        await store.AttemptAsync(first.Token.Value, None);
        var second = await BeginAsync(bed, userId);
        await store.AttemptAsync(second.Token!.Value, None);

        var refused = await BeginAsync(bed, userId);
        var attempt = await store.AttemptAsync(second.Token.Value, None);

        refused.IsBegun.ShouldBeFalse();
        refused.RetryAfter.ShouldBeInRange(TimeSpan.FromMinutes(14), TimeSpan.FromMinutes(15));
        attempt.Outcome.ShouldBe(TwoFactorOutcome.UserLocked);
        attempt.RetryAfter.ShouldBeInRange(TimeSpan.FromMinutes(14), TimeSpan.FromMinutes(15));
        // Neither ending the challenges nor logging out gives attempts back.
        await store.CancelAllAsync(userId, None);
        await bed.Sessions.RevokeAllAsync(userId, null, None);
        (await BeginAsync(bed, userId)).IsBegun.ShouldBeFalse();
        (await BeginAsync(bed, AuthBed.NewUserId())).IsBegun.ShouldBeTrue();
    }

    [Fact]
    public async Task Challenge_EndsWithTheUsersGeneration()
    {
        await using var bed = Bed();
        var store = bed.Get<ITwoFactorStore>();
        var userId = AuthBed.NewUserId();
        var start = await BeginAsync(bed, userId, "123456");
        await store.AttemptAsync(start.Token!.Value, None);

        await bed.Sessions.RevokeAllAsync(userId, null, None);

        (await store.AttemptAsync(start.Token.Value, None)).Denial.ShouldBe(TokenDenial.Revoked);
        (await store.CompleteAsync(start.Token.Value, null, None)).Denial.ShouldBe(TokenDenial.Revoked);
        (await store.RedeemCodeAsync(start.Token.Value, "123456", None)).Denial.ShouldBe(TokenDenial.Revoked);
        (await store.FindActiveAsync(userId, None)).ShouldBeNull();
        (await store.PeekAsync(start.Token.Value, None)).ShouldBeNull();
    }

    [Fact]
    public async Task FindActive_FindsAChallenge_UntilItIsCancelled()
    {
        await using var bed = Bed();
        var store = bed.Get<ITwoFactorStore>();
        var userId = AuthBed.NewUserId();
        (await store.FindActiveAsync(userId, None)).ShouldBeNull();
        var start = await BeginAsync(bed, userId);

        (await store.FindActiveAsync(userId, None)).ShouldBe(start.Challenge);

        (await store.CancelAsync(userId, start.Token!.Id, None)).ShouldBeTrue();
        (await store.CancelAsync(userId, start.Token.Id, None)).ShouldBeFalse();
        (await store.FindActiveAsync(userId, None)).ShouldBeNull();
        (await store.AttemptAsync(start.Token.Value, None)).Denial.ShouldBe(TokenDenial.NotFound);
    }

    [Fact]
    public async Task Begin_LetsTheOldestLeave_WhenTheUserHasTheMost()
    {
        await using var bed = Bed(("Storage:TwoFactor:MaxActivePerUser", "2"));
        var store = bed.Get<ITwoFactorStore>();
        var userId = AuthBed.NewUserId();
        var tokens = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            tokens.Add((await BeginAsync(bed, userId)).Token!.Value);
            await bed.PassAsync(TimeSpan.FromMilliseconds(2));
        }

        (await store.PeekAsync(tokens[0], None)).ShouldBeNull();
        (await store.PeekAsync(tokens[1], None)).ShouldNotBeNull();
        (await store.CancelAllAsync(userId, None)).ShouldBe(2);
        (await store.PeekAsync(tokens[2], None)).ShouldBeNull();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("nonsense")]
    public async Task Attempt_DeniesAsMalformed_WhatCannotBeAToken(string? token)
    {
        await using var bed = Bed();
        var store = bed.Get<ITwoFactorStore>();

        (await store.AttemptAsync(token, None)).Denial.ShouldBe(TokenDenial.Malformed);
        (await store.CompleteAsync(token, 1, None)).Denial.ShouldBe(TokenDenial.Malformed);
        (await store.RedeemCodeAsync(token, "1", None)).Denial.ShouldBe(TokenDenial.Malformed);
        (await store.PeekAsync(token, None)).ShouldBeNull();
    }

    [Fact]
    public async Task Begin_Throws_WhenAFieldIsOutOfItsBounds()
    {
        await using var bed = Bed();
        var store = bed.Get<ITwoFactorStore>();

        await Should.ThrowAsync<ArgumentException>(() => store.BeginAsync(new NewTwoFactorChallenge { UserId = "u", Method = "" }, None));
        await Should.ThrowAsync<ArgumentException>(() => store.BeginAsync(new NewTwoFactorChallenge { UserId = "u", Method = new string('m', 33) }, None));
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => store.CompleteAsync(null, 0, None));
    }

    protected static Task<TwoFactorStart> BeginAsync(AuthBed bed, string userId, string? code = null) =>
        bed.Get<ITwoFactorStore>().BeginAsync(new NewTwoFactorChallenge { UserId = userId, Method = code is null ? "totp" : "email", Code = code }, None);
}
