using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;
using Maintenance.Storage.TwoFactor;

namespace Maintenance.Storage.RedisTests.TwoFactor;

/// <summary>What every store of two-factor challenges does.</summary>
public abstract class TwoFactorContract
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
    public async Task Complete_ForgivesTheUsersEarlierAttempts()
    {
        await using var bed = Bed(("Storage:TwoFactor:MaxAttempts", "2"), ("Storage:TwoFactor:MaxAttemptsPerUser", "2"));
        var store = bed.Get<ITwoFactorStore>();
        var userId = AuthBed.NewUserId();
        var start = await BeginAsync(bed, userId);
        await store.AttemptAsync(start.Token!.Value, None);
        await store.AttemptAsync(start.Token.Value, None);

        await store.CompleteAsync(start.Token.Value, null, None);

        var next = await BeginAsync(bed, userId);
        next.IsBegun.ShouldBeTrue();
        (await store.AttemptAsync(next.Token!.Value, None)).Outcome.ShouldBe(TwoFactorOutcome.Allowed);
    }

    [Fact]
    public async Task Complete_AcceptsATimeStepOnce_OverTwoHundredChallengesAtOnce()
    {
        await using var bed = Bed(
            ("Storage:TwoFactor:MaxActivePerUser", "100"), ("Storage:TwoFactor:MaxAttempts", "1"), ("Storage:TwoFactor:MaxAttemptsPerUser", "1000"));
        var store = bed.Get<ITwoFactorStore>();
        var userId = AuthBed.NewUserId();
        var tokens = new List<string>();
        for (var i = 0; i < 100; i++)
        {
            tokens.Add((await BeginAsync(bed, userId)).Token!.Value);
            await store.AttemptAsync(tokens[i], None);
        }

        var completions = await AuthBed.AtOnceAsync(200, i => store.CompleteAsync(tokens[i % 100], 59_000_000, None));

        completions.Count(completion => completion.Outcome == TwoFactorOutcome.Completed).ShouldBe(1);
        completions.Count(completion => completion.Outcome == TwoFactorOutcome.StepUsed).ShouldBeInRange(198, 199);
    }

    [Fact]
    public async Task Complete_RefusesAnEarlierTimeStep_AndAcceptsALaterOne()
    {
        await using var bed = Bed();
        var store = bed.Get<ITwoFactorStore>();
        var userId = AuthBed.NewUserId();
        async Task<TwoFactorOutcome> CompleteAsync(long step)
        {
            var token = (await BeginAsync(bed, userId)).Token!.Value;
            await store.AttemptAsync(token, None);
            return (await store.CompleteAsync(token, step, None)).Outcome;
        }

        (await CompleteAsync(59_000_001)).ShouldBe(TwoFactorOutcome.Completed);
        (await CompleteAsync(59_000_000)).ShouldBe(TwoFactorOutcome.StepUsed);
        (await CompleteAsync(59_000_002)).ShouldBe(TwoFactorOutcome.Completed);
    }

    [Fact]
    public async Task RedeemCode_CompletesWithTheCodeThatWasSent()
    {
        await using var bed = Bed();
        var store = bed.Get<ITwoFactorStore>();
        var start = await BeginAsync(bed, AuthBed.NewUserId(), "123456");

        (await store.RedeemCodeAsync(start.Token!.Value, "654321", None)).Outcome.ShouldBe(TwoFactorOutcome.WrongCode);
        (await store.RedeemCodeAsync(start.Token.Value, "", None)).Outcome.ShouldBe(TwoFactorOutcome.WrongCode);
        (await store.RedeemCodeAsync(start.Token.Value, null, None)).Outcome.ShouldBe(TwoFactorOutcome.WrongCode);
        var right = await store.RedeemCodeAsync(start.Token.Value, "123456", None);

        right.Outcome.ShouldBe(TwoFactorOutcome.Completed);
        right.Challenge!.Attempts.ShouldBe(4);
        (await store.RedeemCodeAsync(start.Token.Value, "123456", None)).Denial.ShouldBe(TokenDenial.NotFound);
    }

    [Fact]
    public async Task RedeemCode_IsAcceptedOnce_WhenTwoHundredComeAtOnce()
    {
        await using var bed = Bed(("Storage:TwoFactor:MaxAttempts", "100"), ("Storage:TwoFactor:MaxAttemptsPerUser", "1000"));
        var store = bed.Get<ITwoFactorStore>();
        var start = await BeginAsync(bed, AuthBed.NewUserId(), "123456");

        var answers = await AuthBed.AtOnceAsync(200, _ => store.RedeemCodeAsync(start.Token!.Value, "123456", None));

        answers.Count(answer => answer.Outcome == TwoFactorOutcome.Completed).ShouldBe(1);
        answers.Count(answer => answer.Denial == TokenDenial.NotFound).ShouldBe(199);
    }

    [Fact]
    public async Task RedeemCode_LocksAtTheLimit_EvenWithTheRightCode()
    {
        await using var bed = Bed(("Storage:TwoFactor:MaxAttempts", "2"));
        var store = bed.Get<ITwoFactorStore>();
        var start = await BeginAsync(bed, AuthBed.NewUserId(), "123456");
        await store.RedeemCodeAsync(start.Token!.Value, "000000", None);
        await store.RedeemCodeAsync(start.Token.Value, "000001", None);

        (await store.RedeemCodeAsync(start.Token.Value, "123456", None)).Outcome.ShouldBe(TwoFactorOutcome.Locked);
    }

    [Fact]
    public async Task RedeemCode_IsWrong_WhenNoCodeWasSent()
    {
        await using var bed = Bed();
        var start = await BeginAsync(bed, AuthBed.NewUserId());

        (await bed.Get<ITwoFactorStore>().RedeemCodeAsync(start.Token!.Value, "......................", None)).Outcome.ShouldBe(TwoFactorOutcome.WrongCode);
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
