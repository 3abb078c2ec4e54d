using System.Net;
using System.Xml.Linq;
using Maintenance.Storage;
using Maintenance.Storage.Analytics;
using Maintenance.Storage.AspNetCore.DataProtection;
using Maintenance.Storage.AspNetCore.DistributedCache;
using Maintenance.Storage.Caching;
using Maintenance.Storage.Denylist;
using Maintenance.Storage.OAuth;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Profiles;
using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;
using Maintenance.Storage.UserData;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Deploy.OpsTests.Redis;

/// <summary>One user's way through every kind of state that Storage keeps, as a host would lead it.</summary>
internal sealed class StorageJourney : IAsyncDisposable
{
    private readonly ServiceProvider services;

    public StorageJourney(string redisUrl, string prefix)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
        [
            KeyValuePair.Create("Storage:Redis:Url", (string?)redisUrl),
            KeyValuePair.Create("Storage:Redis:KeyPrefix", (string?)prefix),
            KeyValuePair.Create("Storage:Redis:Deadline", (string?)"00:00:20"),
            KeyValuePair.Create("Storage:Redis:ConnectTimeout", (string?)"00:00:20"),
            KeyValuePair.Create("Storage:Sessions:MaxSessionsPerUser", (string?)"3"),
            KeyValuePair.Create("Storage:Sessions:RenewalInterval", (string?)"00:00:01"),
            KeyValuePair.Create("Storage:RefreshTokens:MaxFamiliesPerUser", (string?)"2"),
            KeyValuePair.Create("Storage:TwoFactor:MaxAttempts", (string?)"2"),
            KeyValuePair.Create("Storage:RateLimits:tight:Permits", (string?)"1"),
            KeyValuePair.Create("Storage:RateLimits:tight:Burst", (string?)"1"),
            KeyValuePair.Create("Storage:RateLimits:tight:Penalty:Threshold", (string?)"1"),
        ]).Build();
        var collection = new ServiceCollection();
        collection.AddLogging();
        collection.AddSingleton<IConfiguration>(configuration);
        collection.AddAuthStorage(configuration);
        collection.AddAuthDistributedCache();
        collection.AddDataProtection().PersistKeysToAuthStorage(deadline: TimeSpan.FromSeconds(20));
        services = collection.BuildServiceProvider();
    }

    private static CancellationToken Stop => CancellationToken.None;

    private string User { get; } = Guid.NewGuid().ToString("D");

    public async Task RunAsync()
    {
        await SessionsAsync();
        await RefreshAsync();
        await OneTimeAsync();
        await TwoFactorAsync();
        await OAuthAsync();
        await LimitsAsync();
        await CachesAsync();
        await AnalyticsAsync();
        await EraseAsync();
    }

    /// <summary>Logs a user in and damages what that wrote, a little of each thing that the worker mends.</summary>
    public async Task LeaveDamageAsync(GuardedRedis redis)
    {
        var keys = Get<RedisKeys>();
        var user = UserReference.Of("user-7");
        for (var i = 0; i < 6; i++)
        {
            await Get<ISessionStore>().CreateAsync(new NewSession { UserId = $"user-{i}", UserAgent = "ops" }, Stop);
        }

        var gone = await Get<ISessionStore>().CreateAsync(new NewSession { UserId = "user-7" }, Stop);
        var unlisted = await Get<ISessionStore>().CreateAsync(new NewSession { UserId = "user-7" }, Stop);
        var late = await Get<ISessionStore>().CreateAsync(new NewSession { UserId = "user-7" }, Stop);
        await redis.AdminAsync("DEL", keys.Session(user, gone.Session.Id));
        await redis.AdminAsync("ZREM", keys.SessionIndex(user), unlisted.Session.Id.Value);
        await redis.AdminAsync("ZADD", keys.SessionIndex(user), "1", late.Session.Id.Value);
        await redis.AdminAsync("PERSIST", keys.SessionIndex(UserReference.Of("user-1")));
        // Expired, but still listed.
        await redis.AdminAsync("ZADD", keys.SessionIndex(UserReference.Of("user-2")), "1", new string('x', SessionId.Length));
        // Revoked without its index.
        await redis.AdminAsync("SET", keys.Generation(UserReference.Of("user-3")), "99", "PX", "600000");
        await redis.AdminAsync("DEL", keys.SessionIndex(UserReference.Of("user-4")));
        await Get<IRefreshTokenStore>().IssueAsync(new NewRefreshFamily { UserId = "user-5" }, Stop);
        await Get<IOneTimeTokenStore>().IssueAsync(OneTimePurpose.MagicLink, "user-5", null, Stop);
        foreach (var key in (object?[])(await redis.AdminAsync("KEYS", $"{redis.Prefix}auth:refresh:*"))!)
        {
            await redis.AdminAsync("PERSIST", (string)key!);
        }

        await redis.AdminAsync("SET", $"{redis.Prefix}cache:without-ttl", "1");
    }

    public ValueTask DisposeAsync() => services.DisposeAsync();

    private T Get<T>()
        where T : notnull => services.GetRequiredService<T>();

    private Task<IssuedSession> LogInAsync() => Get<ISessionStore>().CreateAsync(
        new NewSession { UserId = User, IpAddress = IPAddress.Loopback, UserAgent = "ops", DeviceName = "laptop" }, Stop);

    private async Task SessionsAsync()
    {
        var sessions = Get<ISessionStore>();
        var issued = await LogInAsync();
        for (var i = 0; i < 3; i++)
        {
            await LogInAsync();
        }

        issued = await LogInAsync();
        (await sessions.ValidateAsync(issued.Token.Value, Stop)).IsValid.ShouldBeTrue();
        // Past the renewal interval, so that the next validation renews.
        await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System);
        (await sessions.ValidateAsync(issued.Token.Value, Stop)).IsValid.ShouldBeTrue();
        var rotated = await sessions.RotateAsync(issued.Token.Value, new SessionChanges { Reauthenticated = true }, Stop);
        var id = rotated.Issued.ShouldNotBeNull().Session.Id;
        (await sessions.GetAsync(User, id, Stop)).ShouldNotBeNull();
        (await sessions.ListAsync(User, Stop)).Count.ShouldBe(3);
        (await sessions.CountAsync(User, Stop)).ShouldBe(3);
        (await sessions.RevokeAsync(User, (await LogInAsync()).Session.Id, Stop)).ToString().ShouldNotBeEmpty();
        await sessions.RevokeAllAsync(User, (await LogInAsync()).Session.Id, Stop);
        await sessions.RevokeAllAsync(User, null, Stop);
        (await sessions.CountAsync(User, Stop)).ShouldBe(0);
    }

    private async Task RefreshAsync()
    {
        var families = Get<IRefreshTokenStore>();
        var session = (await LogInAsync()).Session.Id;
        var issue = await families.IssueAsync(new NewRefreshFamily { UserId = User }, Stop);
        await families.BindSessionAsync(User, issue.Family!.Id, session, Stop);
        var first = issue.Token!.ToString();
        var rotation = await families.RotateAsync(issue.Token!.Value, Stop);
        rotation.Outcome.ShouldBe(RefreshOutcome.Rotated, first);
        await families.RotateAsync(issue.Token!.Value, Stop);
        var moved = (await LogInAsync()).Session.Id;
        await families.MoveSessionAsync(User, session, moved, Stop);
        await families.CarryOverAsync(User, moved, Stop);
        for (var i = 0; i < 3; i++)
        {
            issue = await families.IssueAsync(new NewRefreshFamily { UserId = User, SessionId = moved }, Stop);
        }

        (await families.ListAsync(User, Stop)).ShouldNotBeEmpty();
        await families.RevokeAsync(User, issue.Family!.Id, Stop);
        await families.RevokeForSessionAsync(User, moved, Stop);
        await families.RevokeAllAsync(User, Stop);
    }

    private async Task OneTimeAsync()
    {
        var tokens = Get<IOneTimeTokenStore>();
        foreach (var purpose in Enum.GetValues<OneTimePurpose>())
        {
            for (var i = 0; i < 4; i++)
            {
                await tokens.IssueAsync(purpose, User, "data", Stop);
            }

            var issued = await tokens.IssueAsync(purpose, User, null, Stop);
            (await tokens.PeekAsync(purpose, issued.Token.Value, Stop)).IsAccepted.ShouldBeTrue();
            (await tokens.CountActiveAsync(purpose, User, Stop)).ShouldBeGreaterThan(0);
            (await tokens.RedeemAsync(purpose, issued.Token.Value, Stop)).IsAccepted.ShouldBeTrue();
            await tokens.InvalidateAllAsync(purpose, User, Stop);
        }
    }

    private async Task TwoFactorAsync()
    {
        var challenges = Get<ITwoFactorStore>();
        var begun = await challenges.BeginAsync(new NewTwoFactorChallenge { UserId = User, Method = "totp" }, Stop);
        (await challenges.PeekAsync(begun.Token!.Value, Stop)).ShouldNotBeNull();
        (await challenges.FindActiveAsync(User, Stop)).ShouldNotBeNull();
        await challenges.AttemptAsync(begun.Token!.Value, Stop);
        await challenges.CompleteAsync(begun.Token!.Value, 7, Stop);
        begun = await challenges.BeginAsync(new NewTwoFactorChallenge { UserId = User, Method = "mail", Code = "123456" }, Stop);
        await challenges.RedeemCodeAsync(begun.Token!.Value, "000000", Stop);
        await challenges.RedeemCodeAsync(begun.Token!.Value, "123456", Stop);
        begun = await challenges.BeginAsync(new NewTwoFactorChallenge { UserId = User, Method = "totp" }, Stop);
        await challenges.CancelAsync(User, begun.Challenge!.Id, Stop);
        await challenges.CancelAllAsync(User, Stop);
        await challenges.ForgiveAsync(User, Stop);
    }

    private async Task OAuthAsync()
    {
        var states = Get<IOAuthStateStore>();
        var issued = await states.CreateAsync(new NewOAuthState { Provider = "google", ReturnUrl = "/", CodeVerifier = new string('v', 43) }, Stop);
        (await states.RedeemAsync("google", issued.State, issued.BrowserNonce, Stop)).Outcome.ShouldBe(OAuthRedemptionOutcome.Redeemed);
    }

    private async Task LimitsAsync()
    {
        var denylist = Get<ITokenDenylist>();
        var id = DenylistId.OfTokenId(Guid.NewGuid().ToString());
        await denylist.DenyAsync(id, null, "test", Stop);
        await denylist.DenyAsync(id, TimeProvider.System.GetUtcNow().AddHours(3), "longer", Stop);
        (await denylist.IsDeniedAsync(id, Stop)).ShouldBeTrue();
        (await denylist.AreDeniedAsync([id, DenylistId.OfTokenId("other")], Stop)).ShouldBe([true, false]);
        (await denylist.FindAsync(id, Stop)).ShouldNotBeNull();

        var limits = Get<IRateLimitStore>();
        var request = new RateLimitRequest("tight", User);
        var charged = await limits.AcquireAsync(request, Stop);
        charged.IsAllowed.ShouldBeTrue();
        await limits.RefundAsync(request, charged, Stop);
        for (var i = 0; i < 4; i++)
        {
            await limits.AcquireAsync(request, Stop);
        }

        await limits.PeekAsync("tight", User, Stop);
        await limits.ResetAsync("tight", User, Stop);
    }

    private async Task CachesAsync()
    {
        var cache = Get<AuthCache>();
        var key = CacheKey.OfUser(User, "greeting");
        (await cache.GetOrCreateAsync<string>(key, _ => Task.FromResult<string?>("hello"), Stop)).Value.ShouldBe("hello");
        await Should.ThrowAsync<InvalidOperationException>(
            () => cache.GetOrCreateAsync<string>(CacheKey.Of("broken"), _ => throw new InvalidOperationException("source"), Stop));
        await cache.InvalidateAsync(key, Stop);
        await cache.InvalidateUserAsync(User, Stop);

        var profiles = Get<ProfileCache>();
        (await profiles.GetOrLoadAsync(User, _ => Task.FromResult<IReadOnlyDictionary<string, string?>?>(new Dictionary<string, string?> { ["id"] = User }), Stop)).ShouldNotBeNull();
        await profiles.InvalidateAsync(User, Stop);

        var distributed = Get<IDistributedCache>();
        await distributed.SetStringAsync("entry", "value", new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(5) }, Stop);
        (await distributed.GetStringAsync("entry", Stop)).ShouldBe("value");
        await distributed.RefreshAsync("entry", Stop);
        await distributed.RemoveAsync("entry", Stop);

        var repository = Get<IOptions<KeyManagementOptions>>().Value.XmlRepository.ShouldNotBeNull();
        repository.StoreElement(new XElement("key"), "key-1");
        repository.GetAllElements().ShouldNotBeEmpty();
    }

    private async Task AnalyticsAsync()
    {
        var analytics = Get<IAnalyticsStore>();
        var session = (await LogInAsync()).Session.Id;
        await analytics.RecordActivityAsync(User, session, "profile.read", null, Stop);
        (await analytics.GetActivitiesAsync(User, session, Stop)).ShouldNotBeEmpty();
        (await analytics.GetUserAsync(User, Stop)).ShouldNotBeNull();
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        (await analytics.GetDaysAsync(today.AddDays(-1), today, Stop)).Count.ShouldBe(2);
    }

    private async Task EraseAsync()
    {
        var data = Get<UserDataService>();
        (await data.ListAsync(User, Stop)).UserId.ShouldBe(User);
        (await data.ExportAsync(User, Stop)).ShouldNotBeEmpty();
        await data.EraseAsync(User, Stop);
    }
}
