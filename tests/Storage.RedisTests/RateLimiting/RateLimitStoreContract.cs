using System.Diagnostics;
using Maintenance.Storage.RateLimiting;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.RateLimiting;

/// <summary>What every store of rate limits does. The policy "slow" gives nothing back while a test runs.</summary>
public abstract class RateLimitStoreContract : IAsyncLifetime
{
    protected const int Burst = 20;

    protected static readonly CancellationToken None = CancellationToken.None;

    private IRateLimitStore? store;

    protected FixedOptions<RateLimitOptions> Options { get; } = new(new RateLimitOptions
    {
        Policies =
        {
            ["slow"] = new RateLimitPolicy { Permits = Burst, Period = TimeSpan.FromDays(1) },
            ["one"] = new RateLimitPolicy { Permits = 1, Period = TimeSpan.FromDays(1) },
            ["quick"] = new RateLimitPolicy { Permits = 1, Period = TimeSpan.FromMilliseconds(200) },
            ["strict"] = new RateLimitPolicy
            {
                Permits = 1,
                Period = TimeSpan.FromDays(1),
                Penalty = new RateLimitPenalty { Threshold = 3, FirstBlock = TimeSpan.FromHours(30), LongestBlock = TimeSpan.FromHours(40) },
            },
            ["brief"] = new RateLimitPolicy
            {
                Permits = 1,
                Period = TimeSpan.FromMilliseconds(100),
                Penalty = new RateLimitPenalty { Threshold = 2, FirstBlock = TimeSpan.FromMilliseconds(500), LongestBlock = TimeSpan.FromSeconds(1) },
            },
        },
    });

    protected IRateLimitStore Store => store ?? throw new InvalidOperationException("Not initialized.");

    public Task InitializeAsync()
    {
        store = CreateStore();
        return Task.CompletedTask;
    }

    public abstract Task DisposeAsync();

    protected abstract IRateLimitStore CreateStore();

    protected static string NewSubject() => Guid.NewGuid().ToString();

    [Fact]
    public async Task Acquire_CountsDownAndThenDenies()
    {
        var subject = NewSubject();
        for (var left = Burst - 1; left >= 0; left--)
        {
            var allowed = await Store.AcquireAsync(new("slow", subject), None);
            allowed.IsAllowed.ShouldBeTrue();
            (allowed.Limit, allowed.Remaining, allowed.RetryAfter).ShouldBe((Burst, left, null));
        }

        var denied = await Store.AcquireAsync(new("slow", subject), None);

        denied.Decision.ShouldBe(RateLimitDecision.Denied);
        denied.Remaining.ShouldBe(0);
        denied.RetryAfter!.Value.ShouldBe(TimeSpan.FromDays(1) / Burst, TimeSpan.FromMinutes(2));
        denied.ResetAfter.ShouldBe(TimeSpan.FromDays(1), TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task Acquire_AllowsAgainWhenRetryAfterHasPassed()
    {
        var subject = NewSubject();
        RateLimitResult? denied = null;
        await Eventually.TrueAsync(async () => !(denied = await Store.AcquireAsync(new("quick", subject), None)).IsAllowed);

        denied!.RetryAfter!.Value.ShouldBeInRange(TimeSpan.FromTicks(1), TimeSpan.FromMilliseconds(200));
        await Eventually.TrueAsync(async () => (await Store.AcquireAsync(new("quick", subject), None)).IsAllowed);
    }

    [Fact]
    public async Task Acquire_TakesTheWholeCostOrNothing()
    {
        var subject = NewSubject();
        (await Store.AcquireAsync(new("slow", subject, 15), None)).Remaining.ShouldBe(5);

        var denied = await Store.AcquireAsync(new("slow", subject, 6), None);

        denied.IsAllowed.ShouldBeFalse();
        denied.Remaining.ShouldBe(5);
        (await Store.AcquireAsync(new("slow", subject, 5), None)).Remaining.ShouldBe(0);
    }

    [Fact]
    public async Task Acquire_LetsExactlyTheBurstPass_OfTwoHundredAtOnce()
    {
        var subject = NewSubject();

        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() => Store.AcquireAsync(new("slow", subject), None))));

        results.Count(result => result.IsAllowed).ShouldBe(Burst);
        results.Where(result => result.IsAllowed).Select(result => result.Remaining).Order().ShouldBe(Enumerable.Range(0, Burst));
    }

    [Fact]
    public async Task Peek_TakesNothing()
    {
        var subject = NewSubject();
        for (var i = 0; i < 3; i++)
        {
            var rested = await Store.PeekAsync("one", subject, None);
            (rested.IsAllowed, rested.Remaining, rested.ResetAfter).ShouldBe((true, 1, TimeSpan.Zero));
        }

        await Store.AcquireAsync(new("one", subject), None);

        (await Store.PeekAsync("one", subject, None)).Decision.ShouldBe(RateLimitDecision.Denied);
    }

    [Fact]
    public async Task Acquire_KeepsSubjectsAndPoliciesApart()
    {
        string[] subjects = ["a", "A", "a:b", "{a}", "a b\n", "slow:a", "ä", "192.0.2.1", "2001:db8::1", "somebody@example.com", new string('x', 4096)];
        var run = NewSubject()[..8];
        foreach (var subject in subjects)
        {
            (await Store.AcquireAsync(new("one", subject.Length > 4000 ? subject : run + subject), None)).IsAllowed.ShouldBeTrue();
            (await Store.AcquireAsync(new("slow", subject.Length > 4000 ? subject : run + subject), None)).IsAllowed.ShouldBeTrue();
        }

        (await Store.AcquireAsync(new("one", run + "a"), None)).IsAllowed.ShouldBeFalse();
    }

    [Fact]
    public async Task Reset_ForgetsUseAndPenalty()
    {
        var subject = NewSubject();
        for (var i = 0; i < 4; i++)
        {
            await Store.AcquireAsync(new("strict", subject), None);
        }

        (await Store.PeekAsync("strict", subject, None)).Decision.ShouldBe(RateLimitDecision.Penalized);

        (await Store.ResetAsync("strict", subject, None)).ShouldBeTrue();

        (await Store.AcquireAsync(new("strict", subject), None)).IsAllowed.ShouldBeTrue();
        (await Store.ResetAsync("strict", NewSubject(), None)).ShouldBeFalse();
    }

    [Fact]
    public async Task Acquire_BlocksWhoGoesOnAfterDenials()
    {
        var subject = NewSubject();
        var decisions = new List<RateLimitDecision>();
        for (var i = 0; i < 5; i++)
        {
            decisions.Add((await Store.AcquireAsync(new("strict", subject), None)).Decision);
        }

        decisions.ShouldBe(
        [
            RateLimitDecision.Allowed, RateLimitDecision.Denied, RateLimitDecision.Denied, RateLimitDecision.Penalized, RateLimitDecision.Penalized,
        ]);
        // Longer than the limit alone would take.
        (await Store.PeekAsync("strict", subject, None)).RetryAfter!.Value.ShouldBe(TimeSpan.FromHours(30), TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task Acquire_LetsABlockEnd()
    {
        var subject = NewSubject();
        await Eventually.TrueAsync(async () => (await Store.AcquireAsync(new("brief", subject), None)).Decision == RateLimitDecision.Penalized);

        await Eventually.TrueAsync(async () => (await Store.AcquireAsync(new("brief", subject), None)).IsAllowed);
    }

    [Fact]
    public async Task Acquire_GivesOneBlock_ToTwoHundredAtOnce()
    {
        var subject = NewSubject();

        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() => Store.AcquireAsync(new("strict", subject), None))));

        results.CountBy(result => result.Decision).ToDictionary().ShouldBe(
            new Dictionary<RateLimitDecision, int> { [RateLimitDecision.Allowed] = 1, [RateLimitDecision.Denied] = 2, [RateLimitDecision.Penalized] = 197 },
            ignoreOrder: true);
    }

    [Fact]
    public async Task AcquireAll_RefundsTheFirst_WhenTheSecondDenies()
    {
        var (user, address) = (NewSubject(), NewSubject());
        await Store.AcquireAsync(new("one", address), None);

        var denied = await Store.AcquireAllAsync([new("slow", user, 3), new("one", address)], None);

        (denied.Policy, denied.IsAllowed).ShouldBe(("one", false));
        // A permit of "slow" takes 72 min to come back, the refund is short by the microseconds since.
        var left = await Store.PeekAsync("slow", user, None);
        left.ResetAfter.ShouldBeLessThan(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task AcquireAll_TakesFromEachAndTellsTheTightest()
    {
        var (user, address) = (NewSubject(), NewSubject());

        var allowed = await Store.AcquireAllAsync([new("slow", user), new("one", address)], None);

        (allowed.IsAllowed, allowed.Policy, allowed.Remaining).ShouldBe((true, "one", 0));
        (await Store.PeekAsync("slow", user, None)).Remaining.ShouldBe(Burst - 1);
    }

    [Fact]
    public async Task AcquireAll_RefundsTheFirst_WhenTheSecondCannotBeAsked()
    {
        var user = NewSubject();

        await Should.ThrowAsync<ArgumentException>(() => Store.AcquireAllAsync([new("slow", user), new("nothing", user)], None));
        await Should.ThrowAsync<ArgumentException>(() => Store.AcquireAllAsync([], None));

        (await Store.PeekAsync("slow", user, None)).ResetAfter.ShouldBeLessThan(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task AcquireAll_NeverLetsMoreThanTheTighterLimitPass_OfTwoHundredAtOnce()
    {
        var (user, address) = (NewSubject(), NewSubject());
        Options.CurrentValue.Policies["wide"] = new RateLimitPolicy { Permits = 200, Period = TimeSpan.FromDays(1) };

        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(
            () => Store.AcquireAllAsync([new("wide", user), new("slow", address)], None))));

        results.Count(result => result.IsAllowed).ShouldBe(Burst);
        (await Store.PeekAsync("wide", user, None)).Remaining.ShouldBeInRange(200 - Burst - 1, 200 - Burst);
    }

    [Fact]
    public async Task Refund_GivesNothingForADenialOrAfterAReset()
    {
        var subject = NewSubject();
        var allowed = await Store.AcquireAsync(new("one", subject), None);
        var denied = await Store.AcquireAsync(new("one", subject), None);

        (await Store.RefundAsync(new("one", subject), denied, None)).ShouldBeFalse();
        (await Store.RefundAsync(new("one", subject), allowed, None)).ShouldBeTrue();
        (await Store.RefundAsync(new("one", NewSubject()), allowed, None)).ShouldBeFalse();
    }

    [Fact]
    public async Task EveryCall_NamesWhatIsWrong()
    {
        (await Should.ThrowAsync<ArgumentException>(() => Store.AcquireAsync(new("nothing", "x"), None))).Message.ShouldContain("Storage:RateLimits:nothing");
        await Should.ThrowAsync<ArgumentException>(() => Store.AcquireAsync(new("one", ""), None));
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => Store.AcquireAsync(new("one", "x", 0), None));
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => Store.AcquireAsync(new("one", "x", 2), None));
        await Should.ThrowAsync<ArgumentException>(() => Store.PeekAsync("nothing", "x", None));
        await Should.ThrowAsync<ArgumentException>(() => Store.ResetAsync("nothing", "x", None));
    }
}
