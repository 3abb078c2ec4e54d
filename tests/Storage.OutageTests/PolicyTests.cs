using Maintenance.Storage.Caching;
using Maintenance.Storage.Denylist;
using Maintenance.Storage.OAuth;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;
using Maintenance.Testing;

namespace Maintenance.Storage.OutageTests;

/// <summary>What each kind of state does while Redis is away.</summary>
public sealed class PolicyTests
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly (string, string) MemoryPolicy = ("Storage:Outage:Sessions", "Memory");

    [Fact]
    public async Task Deny_AnswersNothing_WhileRedisIsAway()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis);
        var issued = await host.LogInAsync("ada");
        await redis.KillAsync();
        await host.NoticeAsync();

        foreach (var call in (Func<Task>[])
        [
            () => host.LogInAsync("ada"),
            () => host.Sessions.ValidateAsync(issued.Token.Value, None),
            () => host.Sessions.GetAsync("ada", issued.Token.Id, None),
            () => host.Sessions.ListAsync("ada", None),
            () => host.Sessions.CountAsync("ada", None),
            () => host.Sessions.RotateAsync(issued.Token.Value, new SessionChanges(), None),
        ])
        {
            (await Should.ThrowAsync<StorageUnavailableException>(call)).Reason.ShouldBe(UnavailableReason.Away);
        }
    }

    [Fact]
    public async Task Memory_LetsUsersLogIn_AndDeniesSessionsThatOnlyRedisKnows()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis, null, MemoryPolicy);
        var before = await host.LogInAsync("ada");
        await redis.KillAsync();
        await host.NoticeAsync();

        var born = await host.LogInAsync("ada");

        (await host.IsValidAsync(born)).ShouldBeTrue();
        (await host.Sessions.ValidateAsync(before.Token.Value, None)).Denial.ShouldBe(SessionDenial.NotFound);
        (await host.Sessions.RotateAsync(before.Token.Value, new SessionChanges(), None)).Outcome.ShouldBe(RotationOutcome.Denied);
        (await host.Sessions.GetAsync("ada", before.Token.Id, None)).ShouldBeNull();
        (await host.Sessions.ListAsync("ada", None)).ShouldHaveSingleItem().Id.ShouldBe(born.Token.Id);
        var rotated = (await host.Sessions.RotateAsync(born.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        (await host.IsValidAsync(rotated)).ShouldBeTrue();
    }

    [Fact]
    public async Task ModeRedis_DeniesWhateverThePolicySays()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis, null, MemoryPolicy, ("Storage:Mode", "Redis"));
        await redis.KillAsync();
        await host.NoticeAsync();

        await Should.ThrowAsync<StorageUnavailableException>(() => host.LogInAsync("ada"));
    }

    [Fact]
    public async Task LogIn_IsBornInMemory_WhenTheCallThatFindsOutFails()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis, null, MemoryPolicy);
        (await host.IsValidAsync(await host.LogInAsync("ada"))).ShouldBeTrue();
        await redis.PauseAsync();
        host.Hurry();
        try
        {
            var born = await host.LogInAsync("ada");

            (await host.IsValidAsync(born)).ShouldBeTrue();
            await Eventually.TrueAsync(() => host.Mode.IsRedisAway);
        }
        finally
        {
            await redis.ResumeAsync();
        }
    }

    [Fact]
    public async Task TokensThatWorkOnce_AreDenied_WhateverThePolicyOfSessions()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis, null, MemoryPolicy);
        var family = (await host.Get<IRefreshTokenStore>().IssueAsync(new NewRefreshFamily { UserId = "ada" }, None)).Token.ShouldNotBeNull();
        var reset = await host.Get<IOneTimeTokenStore>().IssueAsync(OneTimePurpose.PasswordReset, "ada", null, None);
        var state = await host.Get<IOAuthStateStore>().CreateAsync(new NewOAuthState { Provider = "p" }, None);
        var challenge = (await host.Get<ITwoFactorStore>().BeginAsync(new NewTwoFactorChallenge { UserId = "ada", Method = "totp" }, None)).Token.ShouldNotBeNull();
        await redis.KillAsync();
        await host.NoticeAsync();

        foreach (var call in (Func<Task>[])
        [
            () => host.Get<IRefreshTokenStore>().RotateAsync(family.Value, None),
            () => host.Get<IRefreshTokenStore>().IssueAsync(new NewRefreshFamily { UserId = "ada" }, None),
            () => host.Get<IOneTimeTokenStore>().RedeemAsync(OneTimePurpose.PasswordReset, reset.Token.Value, None),
            () => host.Get<IOneTimeTokenStore>().IssueAsync(OneTimePurpose.MagicLink, "ada", null, None),
            () => host.Get<IOAuthStateStore>().RedeemAsync("p", state.State, state.BrowserNonce, None),
            () => host.Get<IOAuthStateStore>().CreateAsync(new NewOAuthState { Provider = "p" }, None),
            () => host.Get<ITwoFactorStore>().AttemptAsync(challenge.Value, None),
            () => host.Get<ITwoFactorStore>().BeginAsync(new NewTwoFactorChallenge { UserId = "ada", Method = "totp" }, None),
            () => host.Get<ITokenDenylist>().IsDeniedAsync(DenylistId.OfTokenId("jti"), None),
        ])
        {
            (await Should.ThrowAsync<StorageUnavailableException>(call)).Reason.ShouldBe(UnavailableReason.Away);
        }
    }

    [Fact]
    public async Task RateLimits_GrantThisHostsShare_AndGoBackToRedis()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(
            redis, null, ("Storage:RateLimits:login:Permits", "10"), ("Storage:RateLimits:login:Period", "1.00:00:00"), ("Storage:RateLimits:login:OutageShare", "0.3"));
        var limits = host.Get<IRateLimitStore>();
        var request = new RateLimitRequest("login", "ada");
        (await limits.AcquireAsync(request, None)).Remaining.ShouldBe(9);
        await redis.PauseAsync();
        var granted = 0;
        try
        {
            await host.NoticeAsync();
            RateLimitResult last;
            while ((last = await limits.AcquireAsync(request, None)).IsAllowed)
            {
                granted++;
            }

            last.Limit.ShouldBe(3);
        }
        finally
        {
            await redis.ResumeAsync();
        }

        granted.ShouldBe(3);
        await host.RecoverAsync();
        (await limits.PeekAsync("login", "ada", None)).Remaining.ShouldBe(9);
    }

    [Fact]
    public async Task RateLimits_GrantNothing_WhenTheirPolicyIsDeny()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis, null, ("Storage:Outage:RateLimits", "Deny"));
        await redis.KillAsync();
        await host.NoticeAsync();

        await Should.ThrowAsync<StorageUnavailableException>(() => host.Get<IRateLimitStore>().AcquireAsync(new RateLimitRequest("default", "ada"), None));
    }

    [Fact]
    public async Task Reset_HoldsOnThisHostAtOnce_AndInRedisWhenItIsBack()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis, null, ("Storage:RateLimits:login:Permits", "2"), ("Storage:RateLimits:login:Period", "1.00:00:00"), ("Storage:RateLimits:login:OutageShare", "0.5"));
        await using var other = new OutageHost(redis, null, ("Storage:RateLimits:login:Permits", "2"), ("Storage:RateLimits:login:Period", "1.00:00:00"));
        var limits = host.Get<IRateLimitStore>();
        var request = new RateLimitRequest("login", "ada");
        await limits.AcquireAsync(request, None);
        (await limits.AcquireAsync(request, None)).Remaining.ShouldBe(0);
        await redis.PauseAsync();
        try
        {
            await host.NoticeAsync();
            (await limits.AcquireAsync(request, None)).IsAllowed.ShouldBeTrue();
            (await limits.AcquireAsync(request, None)).IsAllowed.ShouldBeFalse();

            (await limits.ResetAsync("login", "ada", None)).ShouldBeTrue();

            (await limits.AcquireAsync(request, None)).IsAllowed.ShouldBeTrue("on this host it is forgotten at once");
        }
        finally
        {
            await redis.ResumeAsync();
        }

        await host.RecoverAsync();
        // Whoever is asked about: the first call carries out what waits.
        await limits.PeekAsync("login", "bob", None);
        (await other.Get<IRateLimitStore>().PeekAsync("login", "ada", None)).Remaining.ShouldBe(2);
        (await limits.AcquireAsync(request, None)).Remaining.ShouldBe(1);
        (await limits.AcquireAsync(request, None)).Remaining.ShouldBe(0, "it is carried out once");
    }

    [Fact]
    public async Task Reset_IsUnavailable_WhenThePolicyIsDeny()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis, null, ("Storage:Outage:RateLimits", "Deny"));
        await redis.KillAsync();
        await host.NoticeAsync();

        await Should.ThrowAsync<StorageUnavailableException>(() => host.Get<IRateLimitStore>().ResetAsync("default", "ada", None));
    }

    [Fact]
    public async Task Refund_GoesToTheStoreThatCharged()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis, null, ("Storage:RateLimits:login:Permits", "10"), ("Storage:RateLimits:login:Period", "1.00:00:00"));
        var limits = host.Get<IRateLimitStore>();
        var request = new RateLimitRequest("login", "ada");
        await redis.PauseAsync();
        RateLimitResult charged;
        try
        {
            await host.NoticeAsync();
            charged = await limits.AcquireAsync(request, None);
        }
        finally
        {
            await redis.ResumeAsync();
        }

        await host.RecoverAsync();
        (await limits.AcquireAsync(request, None)).Remaining.ShouldBe(9);

        (await limits.RefundAsync(request, charged, None)).ShouldBeTrue();

        (await limits.PeekAsync("login", "ada", None)).Remaining.ShouldBe(9);
    }

    [Fact]
    public async Task Caches_GoStraightToTheSource()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis, null, ("Storage:Cache:LocalLife", "00:00:00"));
        await redis.KillAsync();
        await host.NoticeAsync();

        var found = await host.Get<AuthCache>().GetOrCreateAsync(CacheKey.Of("k"), _ => Task.FromResult<string?>("value"), None);

        found.ShouldBe(new CacheResult<string>("value", CacheSource.NotStored));
    }
}
