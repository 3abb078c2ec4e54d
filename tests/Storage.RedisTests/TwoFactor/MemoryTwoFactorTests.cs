using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.TwoFactor;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.TwoFactor;

public sealed class MemoryTwoFactorTests : TwoFactorContract
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new MemoryAuthBed(new ManualTimeProvider(), settings);

    [Fact]
    public async Task User_GetsAttemptsBack_WhenTheWindowHasPassed()
    {
        await using var bed = Bed(("Storage:TwoFactor:MaxAttempts", "1"), ("Storage:TwoFactor:MaxAttemptsPerUser", "1"));
        var store = bed.Get<ITwoFactorStore>();
        var start = await BeginAsync(bed, "u");
        await store.AttemptAsync(start.Token!.Value, None);
        await bed.PassAsync(TimeSpan.FromMinutes(15) - TimeSpan.FromMilliseconds(1));
        (await BeginAsync(bed, "u")).RetryAfter.ShouldBe(TimeSpan.FromMilliseconds(1));

        await bed.PassAsync(TimeSpan.FromMilliseconds(1));

        (await BeginAsync(bed, "u")).IsBegun.ShouldBeTrue();
        (await store.AttemptAsync(start.Token.Value, None)).Outcome.ShouldBe(TwoFactorOutcome.Denied);
    }

    [Fact]
    public async Task TimeStep_IsRememberedAsLongAsTheOptionSays()
    {
        await using var bed = Bed();
        var store = bed.Get<ITwoFactorStore>();
        async Task<TwoFactorOutcome> CompleteAsync()
        {
            var token = (await BeginAsync(bed, "u")).Token!.Value;
            await store.AttemptAsync(token, None);
            return (await store.CompleteAsync(token, 59_000_000, None)).Outcome;
        }

        (await CompleteAsync()).ShouldBe(TwoFactorOutcome.Completed);
        await bed.PassAsync(TimeSpan.FromMinutes(9.9));
        (await CompleteAsync()).ShouldBe(TwoFactorOutcome.StepUsed);
        await bed.PassAsync(TimeSpan.FromMinutes(0.1));
        (await CompleteAsync()).ShouldBe(TwoFactorOutcome.Completed);
    }
}
