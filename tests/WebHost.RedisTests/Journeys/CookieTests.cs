using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;

namespace Maintenance.WebHost.RedisTests.Journeys;

[Collection(HostGroup.Name)]
public sealed class CookieTests(HostFixture fixture)
{
    private readonly AuthClient client = fixture.Client;

    [Fact]
    public async Task Cookies_AreSecure_AndACallThatChangesSomethingNeedsTheAntiforgeryToken()
    {
        var login = await client.TryLoginAsync(await client.RegisterAsync());
        var cookies = login.Headers["Set-Cookie"];
        cookies.ShouldContain("__Host-session=");
        foreach (var attribute in (string[])["secure", "httponly", "samesite=lax", "path=/"])
        {
            cookies.ToLowerInvariant().ShouldContain(attribute);
        }

        cookies.ToLowerInvariant().ShouldNotContain("domain=");
        var antiforgery = login.Json.GetProperty("antiforgeryToken").GetString()!;

        (await WithCookieAsync(HttpMethod.Get, "/api/auth/verify", login.Tokens.Session)).Status.ShouldBe(HttpStatusCode.OK);
        var refused = await WithCookieAsync(HttpMethod.Post, "/api/auth/logout", login.Tokens.Session);
        refused.Status.ShouldBe(HttpStatusCode.Forbidden);
        refused.Code.ShouldBe("antiforgery");
        (await WithCookieAsync(HttpMethod.Post, "/api/auth/logout", login.Tokens.Session, "wrong")).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await client.VerifyAsync(login.Tokens.Session)).ShouldBe(HttpStatusCode.OK);

        var loggedOut = await WithCookieAsync(HttpMethod.Post, "/api/auth/logout", login.Tokens.Session, antiforgery);
        loggedOut.Status.ShouldBe(HttpStatusCode.NoContent);
        loggedOut.Headers["Set-Cookie"].ShouldContain("__Host-session=; expires=Thu, 01 Jan 1970");
        (await client.VerifyAsync(login.Tokens.Session)).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Cookie_CountsNowhere_WhereCookiesAreOff()
    {
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["Cookies:Enabled"] = "false" });
        var own = new AuthClient(host.Api);
        var login = await own.TryLoginAsync(await own.RegisterAsync());
        login.Headers.ShouldNotContainKey("Set-Cookie");

        (await WithCookieAsync(HttpMethod.Get, "/api/auth/verify", login.Tokens.Session, through: own)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await WithCookieAsync(HttpMethod.Get, "/api/auth/profile", login.Tokens.Session, through: own)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await WithCookieAsync(HttpMethod.Post, "/api/auth/logout-all", login.Tokens.Session, through: own)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await own.VerifyAsync(login.Tokens.Session)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task RequestForNothing_AsksNoStore()
    {
        await using var redis = await Testing.RedisServer.StartAsync();
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["REDIS_URL"] = redis.Url });
        var own = new AuthClient(host.Api);
        await Testing.Eventually.TrueAsync(async () => (await host.Management.GetAsync(new Uri("/healthz/ready", UriKind.Relative))).IsSuccessStatusCode, TimeSpan.FromSeconds(60));
        var token = (await own.LoginAsync(await own.RegisterAsync())).Session;
        await redis.ExecuteAsync("CONFIG", "RESETSTAT");

        for (var i = 0; i < 5; i++)
        {
            (await own.GetAsync("/nothing/here", token)).Status.ShouldBe(HttpStatusCode.NotFound);
        }

        (await MgetsAsync(redis)).ShouldBe(0);
        (await own.VerifyAsync(token)).ShouldBe(HttpStatusCode.OK);
        (await MgetsAsync(redis)).ShouldBe(1);
    }

    [Fact]
    public async Task ForwardedAddress_IsBelieved_OnlyFromAConfiguredProxy()
    {
        await using var behind = await HostInstance.StartAsync(new(fixture.Settings) { ["Proxies:Addresses:0"] = "127.0.0.1" });
        var email = await client.RegisterAsync();
        var id = await LogInForwardedAsync(new AuthClient(behind.Api), email);
        await AddressesAreAsync(id, "203.0.113.7");
        await LogInForwardedAsync(client, email);
        await AddressesAreAsync(id, "203.0.113.7,127.0.0.1");
    }

    [Fact]
    public async Task Limit_Answers429_WithItsHeaders()
    {
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["Storage:RateLimits:login:Permits"] = "3", ["Storage:RateLimits:login:Period"] = "01:00:00", ["Storage:Redis:KeyPrefix"] = "limit:" });
        var limited = new AuthClient(host.Api);
        for (var i = 0; i < 3; i++)
        {
            (await limited.TryLoginAsync(AuthClient.NewAddress())).Status.ShouldBe(HttpStatusCode.Unauthorized);
        }

        var reply = await limited.TryLoginAsync(AuthClient.NewAddress());

        reply.Status.ShouldBe(HttpStatusCode.TooManyRequests);
        reply.Code.ShouldBe("rate_limited");
        reply.Headers["X-RateLimit-Limit"].ShouldBe("3");
        reply.Headers["X-RateLimit-Remaining"].ShouldBe("0");
        reply.Headers.ShouldContainKey("X-RateLimit-Reset");
        reply.Headers["RateLimit-Limit"].ShouldBe("3");
        reply.Headers["RateLimit-Remaining"].ShouldBe("0");
        reply.Headers.ShouldContainKey("RateLimit-Reset");
        reply.Headers.ShouldContainKey("Retry-After");
    }

    private static async Task<string> LogInForwardedAsync(AuthClient through, string email)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/auth/login") { Content = JsonContent.Create(new { email, password = AuthClient.Password }) };
        request.Headers.Add("X-Forwarded-For", "203.0.113.7");
        return (await through.SendAsync(request)).Json.GetProperty("user").GetProperty("id").GetString()!;
    }

    // All of a user's log-ins: the trail is written after the answer, so its newest row may be an older log-in's.
    private Task AddressesAreAsync(string userId, string addresses) => Testing.Eventually.SucceedsAsync(
        async () => (await fixture.Database.ScalarAsync<string>("SELECT string_agg(address, ',' ORDER BY id) FROM audit_events WHERE user_id = $1 AND action = 'login'", userId))
            .ShouldBe(addresses),
        TimeSpan.FromSeconds(60));

    // How a session is read.
    private static async Task<int> MgetsAsync(Testing.RedisServer redis) =>
        Regex.Match(await redis.ExecuteAsync("INFO", "commandstats") is { } stats ? $"{stats}" : "", @"cmdstat_mget:calls=(\d+)") is { Success: true } found
            ? int.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture)
            : 0;

    private Task<Reply> WithCookieAsync(HttpMethod method, string path, string session, string? antiforgery = null, AuthClient? through = null)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Cookie", $"__Host-session={session}");
        if (antiforgery is not null)
        {
            request.Headers.Add("X-Antiforgery-Token", antiforgery);
        }

        return (through ?? client).SendAsync(request);
    }
}
