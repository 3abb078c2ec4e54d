using Maintenance.Storage.OAuth;
using Maintenance.Testing;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.FeatureTests.ExternalSignIn;

/// <summary>From a browser's first click to its session, with a provider that is real.</summary>
[Collection(FeatureCollection.Name)]
public sealed class ExternalSignInTests(FeatureHost host) : IDisposable
{
    private static readonly HttpClient Provider = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    public void Dispose()
    {
        host.Provider.ChangeClaims = null;
        host.Provider.AuthorizationError = null;
        host.Provider.TokenError = null;
    }

    [Fact]
    public async Task FirstSignIn_MakesAVerifiedAccount_AndLaterOnesFindIt()
    {
        var identity = NewIdentity();

        var (first, answer) = await SignInAsync(identity, returnUrl: "/account?tab=1");

        (answer.Status, answer.Headers.Location!.OriginalString).ShouldBe((302, "/account?tab=1"));
        answer.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith("__Host-session=", StringComparison.Ordinal)).ShouldContain("secure; samesite=lax; httponly", Case.Insensitive);
        var profile = (await first.GetAsync("/api/auth/profile")).Json;
        profile.GetProperty("email").GetString().ShouldBe(identity.Email);
        profile.GetProperty("emailVerified").GetBoolean().ShouldBeTrue();

        // The address has changed there; the identity is the same.
        var (second, _) = await SignInAsync(identity with { Email = $"new-{identity.Email}", EmailVerified = false });
        (await second.GetAsync("/api/auth/profile")).Json.GetProperty("id").GetString().ShouldBe(profile.GetProperty("id").GetString());
    }

    [Fact]
    public async Task SignIn_GivesTokensToAClientThatIsNoBrowser()
    {
        var (_, answer) = await SignInAsync(NewIdentity(), accept: "application/json");

        answer.Status.ShouldBe(200, answer.Text);
        var client = new ApiClient(host.Address) { Token = answer.Json.GetProperty("sessionToken").GetString() };
        (await client.GetAsync("/api/auth/verify")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task VerifiedAddress_LinksAVerifiedAccount_Once()
    {
        var user = await host.AccountAsync();
        var identity = NewIdentity() with { Email = user.Email };

        var (client, _) = await SignInAsync(identity);

        (await client.GetAsync("/api/auth/profile")).Json.GetProperty("id").GetString().ShouldBe(user.Key);
        (await client.GetAsync("/api/auth/external-logins")).Json.GetProperty("logins")[0].GetProperty("provider").GetString().ShouldBe("acme");
    }

    [Fact]
    public async Task Account_IsNeverTakenOver_WhenEitherSideHasNotVerifiedTheAddress()
    {
        var unverified = await host.AccountAsync(verified: false);
        (await FailAsync(NewIdentity() with { Email = unverified.Email })).Code.ShouldBe("external_account_not_verified");

        var verified = await host.AccountAsync();
        (await FailAsync(NewIdentity() with { Email = verified.Email, EmailVerified = false })).Code.ShouldBe("external_email_not_verified");
        (await FailAsync(NewIdentity() with { Email = null })).Code.ShouldBe("external_email_not_verified");
        (await host.Database.ScalarAsync<long>("SELECT count(*) FROM external_logins WHERE user_id = $1 OR user_id = $2", unverified.Id, verified.Id)).ShouldBe(0);
    }

    [Fact]
    public async Task Provider_MayBeToldToLinkOnlyByItsOwner_AndToCreateNobody()
    {
        var user = await host.AccountAsync();

        (await FailAsync(NewIdentity() with { Email = user.Email }, provider: "strict")).Code.ShouldBe("external_link_required");
        (await FailAsync(NewIdentity(), provider: "strict")).Code.ShouldBe("external_no_account");
    }

    [Fact]
    public async Task Owner_LinksAndUnlinks_ButNotTheOnlyWayIn()
    {
        var user = await host.AccountAsync();
        var client = await host.SignedInAsync(user);
        var identity = NewIdentity();
        host.Provider.User = identity;

        var start = await client.PostAsync("/api/auth/external-logins/strict", new { returnUrl = "/account" });
        start.Status.ShouldBe(200, start.Text);
        var browser = host.Client();
        browser.Cookies["__Host-external"] = client.Cookies["__Host-external"];
        browser.Accept = "text/html";
        (await browser.GetAsync(await CallbackAsync(start.Json.GetProperty("url").GetString()!))).Headers.Location!.OriginalString.ShouldBe("/account");
        var (linked, _) = await SignInAsync(identity, provider: "strict");
        (await linked.GetAsync("/api/auth/profile")).Json.GetProperty("id").GetString().ShouldBe(user.Key);

        (await client.DeleteAsync("/api/auth/external-logins/strict")).Status.ShouldBe(204);
        (await client.DeleteAsync("/api/auth/external-logins/strict")).Status.ShouldBe(404);

        var (only, answer) = await SignInAsync(NewIdentity(), accept: "application/json");
        only.Token = answer.Json.GetProperty("sessionToken").GetString();
        (await only.DeleteAsync("/api/auth/external-logins/acme")).Code.ShouldBe("only_way_in");
    }

    [Fact]
    public async Task Link_IsRefused_WhenTheIdentityIsAnotherAccounts()
    {
        var identity = NewIdentity();
        await SignInAsync(identity);
        var client = await host.SignedInAsync(await host.AccountAsync());
        var start = await client.PostAsync("/api/auth/external-logins/acme", new { });
        host.Provider.User = identity;
        var browser = host.Client();
        browser.Cookies["__Host-external"] = client.Cookies["__Host-external"];

        (await browser.GetAsync(await CallbackAsync(start.Json.GetProperty("url").GetString()!))).Code.ShouldBe("external_already_linked");
    }

    [Fact]
    public async Task Linking_NeedsARecentProof()
    {
        var client = await host.RefreshedAsync(await host.AccountAsync());

        (await client.PostAsync("/api/auth/external-logins/acme", new { })).Code.ShouldBe("reauthentication_required");
        (await client.DeleteAsync("/api/auth/external-logins/acme")).Code.ShouldBe("reauthentication_required");
    }

    [Fact]
    public async Task Callback_WorksOnce_InTheBrowserThatBegan_AtItsProvider()
    {
        host.Provider.User = NewIdentity();
        var (browser, callback) = await BeginAsync();
        (await host.Client().GetAsync(callback)).Code.ShouldBe("external_invalid_state");
        // Shown to another browser, the state is used up.
        (await browser.GetAsync(callback)).Code.ShouldBe("external_invalid_state");

        (browser, callback) = await BeginAsync();
        (await browser.GetAsync(callback.Replace("/acme/", "/strict/", StringComparison.Ordinal))).Code.ShouldBe("external_invalid_state");

        (browser, callback) = await BeginAsync();
        (await browser.GetAsync(callback)).Status.ShouldBe(200);
        (await browser.GetAsync(callback)).Code.ShouldBe("external_invalid_state");

        (await browser.GetAsync("/api/auth/external/acme/callback?code=x&state=y")).Code.ShouldBe("external_invalid_state");
        (await browser.GetAsync("/api/auth/external/nobody/callback?code=x&state=y")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task Callback_IsRefused_WhenItNamesAnotherIssuer()
    {
        host.Provider.User = NewIdentity();
        var (browser, callback) = await BeginAsync();

        (await browser.GetAsync(callback.Replace(Uri.EscapeDataString(host.Provider.Authority), "https%3A%2F%2Fevil.example", StringComparison.Ordinal)))
            .Code.ShouldBe("external_invalid_response");
    }

    [Fact]
    public async Task Failures_OfTheProvider_AreNamed_AndGiveNoSession()
    {
        host.Provider.AuthorizationError = "access_denied";
        (await FailAsync(NewIdentity())).Code.ShouldBe("external_access_denied");
        host.Provider.AuthorizationError = null;

        host.Provider.TokenError = "server_error";
        var unavailable = await FailAsync(NewIdentity());
        (unavailable.Status, unavailable.Code).ShouldBe((503, "external_provider_unavailable"));
        unavailable.Headers.RetryAfter.ShouldNotBeNull();
        host.Provider.TokenError = null;

        host.Provider.ChangeClaims = claims => claims["nonce"] = "wrong";
        (await FailAsync(NewIdentity())).Code.ShouldBe("external_invalid_response");
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    public async Task ReturnUrl_StaysOnThisHost(string url)
    {
        (await host.Client().GetAsync($"/api/auth/external/acme?returnUrl={Uri.EscapeDataString(url)}")).Status.ShouldBe(400);
        (await (await host.SignedInAsync(await host.AccountAsync())).PostAsync("/api/auth/external-logins/acme", new { returnUrl = url })).Status.ShouldBe(400);
    }

    [Fact]
    public async Task ReturnUrl_MayHoldAnyLetters()
    {
        var (browser, answer) = await SignInAsync(NewIdentity(), returnUrl: "/caf\u00e9?q=\u00fc");

        (answer.Status, answer.Headers.Location!.OriginalString).ShouldBe((302, "/caf%C3%A9?q=%C3%BC"));
        (await browser.GetAsync("/api/auth/profile")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task ReturnUrl_MayLeadElsewhere_IfTheHostsCodeAllowsIt()
    {
        var options = host.Services.GetRequiredService<IOptionsMonitor<OAuthStateOptions>>().CurrentValue;
        var own = options.IsReturnUrlAllowed;
        options.IsReturnUrlAllowed = url => url.StartsWith("https://app.example/", StringComparison.Ordinal);
        try
        {
            var (_, answer) = await SignInAsync(NewIdentity(), returnUrl: "https://app.example/home");

            (answer.Status, answer.Headers.Location!.OriginalString).ShouldBe((302, "https://app.example/home"));
        }
        finally
        {
            options.IsReturnUrlAllowed = own;
        }
    }

    [Fact]
    public async Task SecondFactor_IsAskedFor_AfterTheProvider()
    {
        var user = await host.AccountAsync();
        await host.Database.ExecuteAsync("UPDATE users SET two_factor_enabled = true, authenticator_key = 'GEZDGNBVGY3TQOJQ' WHERE id = $1", user.Id);

        var (_, answer) = await SignInAsync(NewIdentity() with { Email = user.Email }, accept: "application/json");

        answer.Json.GetProperty("challengeId").GetString().ShouldNotBeNullOrEmpty();
        answer.Cookies.Keys.ShouldNotContain("__Host-session");
    }

    [Fact]
    public async Task DisabledAccount_IsKeptOut()
    {
        var identity = NewIdentity();
        var (client, _) = await SignInAsync(identity);
        var id = Guid.Parse((await client.GetAsync("/api/auth/profile")).Json.GetProperty("id").GetString()!);
        await host.Database.ExecuteAsync("UPDATE users SET disabled_at = now() WHERE id = $1", id);

        (await FailAsync(identity)).Code.ShouldBe("external_account_disabled");
    }

    [Fact]
    public async Task Providers_AreListed_AndNoLogHoldsCodesOrTokens()
    {
        (await host.Client().GetAsync("/api/auth/external")).Json.GetProperty("providers").EnumerateArray().Select(p => p.GetProperty("name").GetString()).Order().ShouldBe(["acme", "strict"]);
        await SignInAsync(NewIdentity());
        host.Provider.ChangeClaims = claims => claims["aud"] = "somebody";
        await FailAsync(NewIdentity());

        var log = string.Join('\n', host.Logs.Entries.Select(entry => $"{entry.Message} {entry.Error}"));
        log.ShouldContain("external_invalid_response");
        foreach (var secret in host.Provider.Codes.Concat(host.Provider.AccessTokens).Append(host.Provider.ClientSecret))
        {
            log.ShouldNotContain(secret);
        }
    }

    private static ProviderUser NewIdentity() => new(Guid.NewGuid().ToString("N"), $"{Guid.NewGuid():N}@example.net", EmailVerified: true, "Anna");

    private async Task<(ApiClient Browser, string Callback)> BeginAsync(string provider = "acme", string returnUrl = "/")
    {
        var browser = host.Client();
        var begun = await browser.GetAsync($"/api/auth/external/{provider}?returnUrl={Uri.EscapeDataString(returnUrl)}");
        begun.Status.ShouldBe(302, begun.Text);
        return (browser, await CallbackAsync(begun.Headers.Location!.AbsoluteUri));
    }

    private static async Task<string> CallbackAsync(string authorizationUrl)
    {
        var query = QueryHelpers.ParseQuery(new Uri(authorizationUrl).Query);
        query["code_challenge_method"].ToString().ShouldBe("S256");
        query["nonce"].ToString().Length.ShouldBe(43);
        using var response = await Provider.GetAsync(new Uri(authorizationUrl));
        return response.Headers.Location!.PathAndQuery;
    }

    private async Task<(ApiClient Browser, Answer Answer)> SignInAsync(
        ProviderUser identity, string provider = "acme", string returnUrl = "/", string accept = "text/html")
    {
        host.Provider.User = identity;
        var (browser, callback) = await BeginAsync(provider, returnUrl);
        browser.Accept = accept;
        var answer = await browser.GetAsync(callback);
        answer.Status.ShouldBeOneOf(200, 302);
        return (browser, answer);
    }

    private async Task<Answer> FailAsync(ProviderUser identity, string provider = "acme")
    {
        host.Provider.User = identity;
        var (browser, callback) = await BeginAsync(provider);
        var answer = await browser.GetAsync(callback);
        answer.Status.ShouldBeGreaterThanOrEqualTo(400);
        answer.Cookies.Keys.ShouldNotContain("__Host-session");
        return answer;
    }
}
