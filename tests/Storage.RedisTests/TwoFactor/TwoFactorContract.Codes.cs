using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;
using Maintenance.Storage.TwoFactor;

namespace Maintenance.Storage.RedisTests.TwoFactor;

/// <summary>Codes: time steps that work once, codes that were sent.</summary>
public abstract partial class TwoFactorContract
{
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
}
