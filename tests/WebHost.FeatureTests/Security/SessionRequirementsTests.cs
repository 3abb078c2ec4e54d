using Maintenance.Storage.Sessions;
using Maintenance.WebHost.FeatureTests.OpenApi;
using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
namespace Maintenance.WebHost.FeatureTests.Security;

/// <summary>What OWASP's ASVS asks of sessions (V3) and no other test shows; docs/security.md names them.</summary>
[Collection(FeatureCollection.Name)]
public sealed class SessionRequirementsTests(FeatureHost host)
{
    [Fact]
    public async Task SessionToken_IsNeverInAUrl()
    {
        var client = await host.SignedInAsync(await host.AccountAsync());
        var token = Uri.EscapeDataString(client.Token!);

        foreach (var name in (string[])["token", "access_token", "sessionToken", "session", "__Host-session"])
        {
            (await host.Client().GetAsync($"/api/auth/verify?{name}={token}")).Status.ShouldBe(401, name);
        }

        var document = (await host.Client().GetAsync("/openapi/v1.json")).Text;
        document.ShouldNotContain("\"access_token\"");
    }

    [Fact]
    public async Task LogIn_GivesANewToken_WhateverTheClientBrought_AndCookiesThatOnlyThisHostGets()
    {
        var user = await host.AccountAsync();
        var client = host.Client();
        client.Cookies["__Host-session"] = "chosen-by-somebody-else";

        var first = await client.PostAsync("/api/auth/login", new { email = user.Email, password = FeatureHost.Password });
        first.Status.ShouldBe(200, first.Text);
        var second = await client.PostAsync("/api/auth/login", new { email = user.Email, password = FeatureHost.Password });

        var tokens = new[] { first, second }.Select(answer => answer.Json.GetProperty("sessionToken").GetString()!).ToList();
        tokens.ShouldBeUnique();
        tokens.ShouldNotContain("chosen-by-somebody-else");
        var session = first.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith("__Host-session=", StringComparison.Ordinal));
        foreach (var attribute in (string[])["secure", "httponly", "samesite=lax", "path=/"])
        {
            session.Split(';').Select(part => part.Trim().ToLowerInvariant()).ShouldContain(attribute);
        }

        session.ShouldNotContain("domain=", Case.Insensitive);
    }

    [Fact]
    public async Task NoEndpoint_TakesAStaticKey_OnlyTokensOfSessions_WhichEnd()
    {
        var document = (await host.Client().GetAsync("/openapi/v1.json")).Json;
        document.GetProperty("components").GetProperty("securitySchemes").EnumerateObject().Select(scheme => scheme.Name).ShouldBe(["bearer", "cookie"], ignoreOrder: true);
        var closed = ApiOperation.ReadAll(document).Where(operation => operation.Json.TryGetProperty("security", out _)).ToList();
        closed.Count.ShouldBeGreaterThan(25);
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = TimeSpan.FromMinutes(2) };
        // Keys that this installation does have, and that open nothing here.
        foreach (var key in (string[])[FeatureHost.Password, FeatureHost.RedisPassword, host.Provider.ClientSecret])
        {
            foreach (var operation in closed)
            {
                using var request = new HttpRequestMessage(new HttpMethod(operation.Method), new Uri(host.Address, operation.Path.Replace('{', '-').Replace('}', '-')));
                request.Headers.TryAddWithoutValidation("X-API-Key", key);
                request.Headers.TryAddWithoutValidation("Authorization", $"Basic {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"admin:{key}"))}");
                using var answer = await http.SendAsync(request);
                ((int)answer.StatusCode).ShouldBe(401, $"{operation.Method} {operation.Path}");
            }
        }

        // What does open them is a session's, of its own each time, and ends.
        var user = await host.AccountAsync();
        var (first, second) = (await host.SignedInAsync(user), await host.SignedInAsync(user));
        first.Token.ShouldNotBe(second.Token);
        (await host.SessionStore.GetAsync(user.Key, SessionId.Parse(first.SessionId!), CancellationToken.None))!.ExpiresAt.ShouldBeLessThan(TimeProvider.System.GetUtcNow().AddDays(31));
        (await first.GetAsync("/api/auth/profile")).Status.ShouldBe(200);
        (await first.PostAsync("/api/auth/logout")).Status.ShouldBe(204);
        (await first.GetAsync("/api/auth/profile")).Status.ShouldBe(401);
    }

    [Fact]
    public async Task LogOut_EndsTheSessionAndItsRefreshToken()
    {
        var user = await host.AccountAsync();
        var signedIn = await host.Client().PostAsync("/api/auth/login", new { email = user.Email, password = FeatureHost.Password });
        var client = new ApiClient(host.Address) { Token = signedIn.Json.GetProperty("sessionToken").GetString() };

        (await client.PostAsync("/api/auth/logout")).Status.ShouldBe(204);

        (await client.GetAsync("/api/auth/profile")).Status.ShouldBe(401);
        (await host.Client().PostAsync("/api/auth/refresh", new { refreshToken = signedIn.Json.GetProperty("refreshToken").GetString() })).Status.ShouldBe(401);
    }

    [Fact]
    public async Task User_EndsAllSessionsAtOnce()
    {
        var user = await host.AccountAsync();
        var clients = new[] { await host.SignedInAsync(user), await host.SignedInAsync(user), await host.SignedInAsync(user) };

        (await clients[0].PostAsync("/api/auth/logout-all")).Status.ShouldBe(200);

        foreach (var client in clients)
        {
            (await client.GetAsync("/api/auth/verify")).Status.ShouldBe(401);
        }
    }

    [Fact]
    public async Task CookieCall_ThatChangesSomething_NeedsTheAntiforgeryHeader()
    {
        var client = await host.SignedInAsync(await host.AccountAsync());
        var browser = host.Client();
        browser.Cookies["__Host-session"] = client.Token!;

        (await browser.GetAsync("/api/auth/profile")).Status.ShouldBe(200);
        var refused = await browser.PutAsync("/api/auth/profile", new { name = "Eve" });
        (refused.Status, refused.Code).ShouldBe((403, "antiforgery"));
    }

    [Fact]
    public async Task StrictTransportSecurity_IsSentToWhoComesByTls()
    {
        await using var behind = HostSetup.Build(
            [.. host.Settings.Select(setting => $"--{setting.Key}={setting.Value}"), "--Api:Port=0", "--Management:Port=0", "--Proxies:Networks:0=127.0.0.1/32"],
            builder => builder.Logging.ClearProviders());
        await behind.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(behind.Urls.First()) };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/auth/verify");
        request.Headers.Add("X-Forwarded-Proto", "https");

        using var secure = await client.SendAsync(request);
        using var plain = await client.GetAsync(new Uri("/api/auth/verify", UriKind.Relative));

        secure.Headers.Contains("Strict-Transport-Security").ShouldBeTrue();
        plain.Headers.Contains("Strict-Transport-Security").ShouldBeFalse();
    }

    [Fact]
    public async Task Deletion_WithoutAPassword_NeedsARecentProof()
    {
        var user = await host.AccountAsync(password: false);
        var refreshed = await host.RefreshedAsync(user);

        (await refreshed.SendAsync(HttpMethod.Delete, "/api/auth/account", System.Net.Http.Json.JsonContent.Create(new { }))).Code.ShouldBe("reauthentication_required");
        (await host.FindAsync(user)).ShouldNotBeNull();
        (await (await host.SignedInAsync(user)).SendAsync(HttpMethod.Delete, "/api/auth/account", System.Net.Http.Json.JsonContent.Create(new { }))).Status.ShouldBe(204);
        (await host.FindAsync(user)).ShouldBeNull();
    }

    [Fact]
    public async Task SensitiveChanges_NeedARecentProof()
    {
        var client = await host.RefreshedAsync(await host.AccountAsync());

        (await client.GetAsync("/api/auth/profile")).Status.ShouldBe(200);
        (await client.PostAsync("/api/auth/2fa/enrol")).Code.ShouldBe("reauthentication_required");
    }
}
