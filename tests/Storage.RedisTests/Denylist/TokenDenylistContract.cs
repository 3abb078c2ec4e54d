using Maintenance.Storage.Denylist;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Denylist;

/// <summary>What every denylist does.</summary>
public abstract class TokenDenylistContract : IAsyncLifetime
{
    protected static readonly CancellationToken None = CancellationToken.None;

    protected FixedOptions<DenylistOptions> Options { get; } = new(new DenylistOptions { ClockSkew = TimeSpan.Zero });

    protected static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private ITokenDenylist List => list ?? throw new InvalidOperationException("Not initialized.");

    private ITokenDenylist? list;

    public virtual Task InitializeAsync()
    {
        list = CreateStore();
        return Task.CompletedTask;
    }

    public abstract Task DisposeAsync();

    protected abstract ITokenDenylist CreateStore();

    protected static DenylistId NewId() => DenylistId.OfTokenId(Guid.NewGuid().ToString());

    [Fact]
    public async Task IsDenied_KnowsWhatWasDeniedAndNothingElse()
    {
        var id = NewId();
        (await List.IsDeniedAsync(id, None)).ShouldBeFalse();

        (await List.DenyAsync(id, Now.AddHours(1), null, None)).ToBoolean().ShouldBeTrue();

        (await List.IsDeniedAsync(id, None)).ShouldBeTrue();
        (await List.IsDeniedAsync(NewId(), None)).ShouldBeFalse();
    }

    [Fact]
    public async Task Find_TellsWhenUntilWhenAndWhy()
    {
        var id = NewId();
        var expires = Now.AddHours(1);

        await List.DenyAsync(id, expires, "log-out: at 12:30", None);

        var entry = (await List.FindAsync(id, None)).ShouldNotBeNull();
        entry.Reason.ShouldBe("log-out: at 12:30");
        entry.Until!.Value.ShouldBe(expires, TimeSpan.FromMilliseconds(5));
        entry.DeniedAt!.Value.ShouldBe(Now, TimeSpan.FromSeconds(30));
        (await List.FindAsync(NewId(), None)).ShouldBeNull();
    }

    [Fact]
    public async Task IsDenied_EndsWithTheTokensExpiry()
    {
        // A busy machine may stand still for longer than a short life; then again with a longer one.
        foreach (var seconds in (double[])[0.7, 8, 30])
        {
            var id = NewId();
            var expires = Now.AddSeconds(seconds);
            await List.DenyAsync(id, expires, null, None);
            var denied = await List.IsDeniedAsync(id, None);
            if (!denied && Now >= expires)
            {
                continue;
            }

            denied.ShouldBeTrue();
            await Eventually.TrueAsync(async () => !await List.IsDeniedAsync(id, None), TimeSpan.FromSeconds(60));

            // Never a moment before, or the token would be accepted again.
            Now.ShouldBeGreaterThanOrEqualTo(expires);
            return;
        }

        Assert.Fail("The machine stood still each time.");
    }

    [Fact]
    public async Task Deny_LastsLongerByTheClockSkewOfValidators()
    {
        Options.CurrentValue = new DenylistOptions { ClockSkew = TimeSpan.FromMinutes(5) };
        var id = NewId();

        (await List.DenyAsync(id, Now.AddMinutes(-4), null, None)).ToBoolean().ShouldBeTrue();

        (await List.IsDeniedAsync(id, None)).ShouldBeTrue();
        (await List.FindAsync(id, None))!.Until!.Value.ShouldBe(Now.AddMinutes(1), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Deny_KeepsNothingOfATokenThatHasExpired()
    {
        var id = NewId();

        (await List.DenyAsync(id, Now.AddMilliseconds(-1), null, None)).ToBoolean().ShouldBeFalse();
        (await List.DenyAsync(id, DateTimeOffset.MinValue, null, None)).ToBoolean().ShouldBeFalse();
        (await List.DenyAsync(id, DateTimeOffset.UnixEpoch, null, None)).ToBoolean().ShouldBeFalse();

        (await List.IsDeniedAsync(id, None)).ShouldBeFalse();
    }

    [Fact]
    public async Task Deny_TakesTheDefaultLife_WhenTheExpiryIsNotKnown()
    {
        var id = NewId();

        await List.DenyAsync(id, null, null, None);

        (await List.FindAsync(id, None))!.Until!.Value.ShouldBe(Now.AddHours(24), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Deny_RefusesAnExpiryBeyondTheLongest()
    {
        var id = NewId();

        await Should.ThrowAsync<ArgumentException>(() => List.DenyAsync(id, DateTimeOffset.MaxValue, null, None));
        await Should.ThrowAsync<ArgumentException>(() => List.DenyAsync(id, Now.AddDays(401), null, None));

        (await List.IsDeniedAsync(id, None)).ShouldBeFalse();
    }

    [Fact]
    public async Task Deny_NeverShortensADenial()
    {
        var id = NewId();
        var longest = Now.AddHours(10);
        await List.DenyAsync(id, longest, "first", None);

        (await List.DenyAsync(id, Now.AddMinutes(1), "second", None)).ToBoolean().ShouldBeTrue();

        var entry = await List.FindAsync(id, None);
        entry!.Until!.Value.ShouldBe(longest, TimeSpan.FromMilliseconds(5));
        entry.Reason.ShouldBe("first");
    }

    [Fact]
    public async Task Deny_KeepsTheLongestOfManyAtOnce()
    {
        var id = NewId();
        var now = Now;

        await Task.WhenAll(Enumerable.Range(1, 200).Select(minutes => Task.Run(() => List.DenyAsync(id, now.AddMinutes(minutes * 37 % 201), null, None))));

        (await List.FindAsync(id, None))!.Until!.Value.ShouldBe(now.AddMinutes(200), TimeSpan.FromMilliseconds(5));
    }

    [Fact]
    public async Task AreDenied_AnswersEachIdInOrder()
    {
        var ids = Enumerable.Range(0, 2500).Select(_ => NewId()).ToArray();
        await Task.WhenAll(ids.Where((_, i) => i % 3 == 0).Select(id => List.DenyAsync(id, Now.AddHours(1), null, None)));

        var denied = await List.AreDeniedAsync(ids, None);

        denied.ShouldBe(ids.Select((_, i) => i % 3 == 0));
        (await List.AreDeniedAsync([], None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Deny_CutsALongReason()
    {
        var id = NewId();

        await List.DenyAsync(id, Now.AddHours(1), new string('é', 5000), None);

        (await List.FindAsync(id, None))!.Reason.ShouldBe(new string('é', DenylistEntry.MaxReasonBytes / 2));
    }

    [Fact]
    public async Task EveryCall_RefusesTheDefaultId()
    {
        await Should.ThrowAsync<ArgumentException>(() => List.DenyAsync(default, null, null, None));
        await Should.ThrowAsync<ArgumentException>(() => List.IsDeniedAsync(default, None));
        await Should.ThrowAsync<ArgumentException>(() => List.AreDeniedAsync([NewId(), default], None));
        await Should.ThrowAsync<ArgumentException>(() => List.FindAsync(default, None));
    }
}
