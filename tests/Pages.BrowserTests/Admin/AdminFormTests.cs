using System.Net;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.FeatureTests;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;

namespace Maintenance.Pages.BrowserTests.Admin;

/// <summary>The administrator's pages without a browser: what a browser would never send, and where they are.</summary>
public sealed class AdminFormTests(FeatureHost host) : IClassFixture<FeatureHost>
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    private Uri Address => new($"http://127.0.0.1:{host.Settings["Management:Port"]}");

    [Fact]
    public async Task Pages_AreOnTheManagementPort_Only()
    {
        (await SendAsync(new Uri(Address, "/admin/sign-in"))).Status.ShouldBe(HttpStatusCode.OK);
        (await SendAsync(new Uri(host.Address, "/admin/sign-in"))).Status.ShouldBe(HttpStatusCode.NotFound);
        (await SendAsync(new Uri(host.Address, "/admin"))).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("/admin")]
    [InlineData("/admin/audit")]
    [InlineData("/admin/users/00000000-0000-0000-0000-000000000000")]
    public async Task Page_AsksForASignIn_AndRefusesOtherRoles(string path)
    {
        var (status, location, _) = await SendAsync(new Uri(Address, path));
        (status, location).ShouldBe((HttpStatusCode.SeeOther, "/admin/sign-in"));

        var user = await host.SignedInAsync(await host.AccountAsync());
        (await SendAsync(new Uri(Address, path), user.Token)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData(null, null, true)]
    [InlineData("nothing", null, false)]
    [InlineData("wrong", null, false)]
    [InlineData(null, "cross-site", false)]
    public async Task Sessions_End_OnlyByAFormOfOurPage(string? token, string? site, bool ends)
    {
        var admin = await host.SignedInAsync(await host.AccountAsync(roles: [Roles.Admin]));
        var user = await host.AccountAsync();
        await host.SignedInAsync(user);
        using var form = new FormUrlEncodedContent(token == "nothing" ? [] : [new("form", token ?? SessionCookies.AntiforgeryTokenOf(admin.Token!))]);

        var (status, location, _) = await SendAsync(new Uri(Address, $"/admin/users/{user.Key}/sessions/end"), admin.Token, form, site);

        status.ShouldBe(HttpStatusCode.SeeOther);
        location!.ShouldContain(ends ? "notice=all-ended" : "notice=foreign");
        (await host.SessionStore.ListAsync(user.Key, CancellationToken.None)).Count.ShouldBe(ends ? 0 : 1);
    }

    [Theory]
    [InlineData("disable", null, null, true)]
    [InlineData("disable", "nothing", null, false)]
    [InlineData("disable", "wrong", null, false)]
    [InlineData("disable", null, "cross-site", false)]
    [InlineData("enable", "wrong", null, false)]
    [InlineData("unlock", null, "cross-site", false)]
    public async Task Account_Changes_OnlyByAFormOfOurPage(string what, string? token, string? site, bool changes)
    {
        var admin = await host.SignedInAsync(await host.AccountAsync(roles: [Roles.Admin]));
        var user = await host.AccountAsync();
        using var form = new FormUrlEncodedContent(token == "nothing" ? [] : [new("form", token ?? SessionCookies.AntiforgeryTokenOf(admin.Token!))]);

        var (status, location, _) = await SendAsync(new Uri(Address, $"/admin/users/{user.Key}/{what}"), admin.Token, form, site);

        status.ShouldBe(HttpStatusCode.SeeOther);
        location!.ShouldContain(changes ? "notice=disabled" : "notice=foreign");
        ((await host.FindAsync(user))!.DisabledAt is not null).ShouldBe(changes);
    }

    [Fact]
    public async Task OwnAccount_IsNotDisabled_EvenByAFormOfOurPage()
    {
        var account = await host.AccountAsync(roles: [Roles.Admin]);
        var admin = await host.SignedInAsync(account);
        using var form = new FormUrlEncodedContent([new("form", SessionCookies.AntiforgeryTokenOf(admin.Token!))]);

        var (_, location, _) = await SendAsync(new Uri(Address, $"/admin/users/{account.Key}/disable"), admin.Token, form);

        location!.ShouldContain("notice=own-account");
        (await host.FindAsync(account))!.DisabledAt.ShouldBeNull();
    }

    [Fact]
    public async Task Button_OfASessionWithoutARecentProof_AsksForIt_AndDoesNothing()
    {
        var admin = await host.RefreshedAsync(await host.AccountAsync(roles: [Roles.Admin]));
        var user = await host.AccountAsync();

        (await PostAsync($"/admin/users/{user.Key}/disable", admin.Token!)).Location.ShouldBe($"/admin/prove?to={user.Key}");
        (await host.FindAsync(user))!.DisabledAt.ShouldBeNull();
        (await PostAsync("/admin/prove", admin.Token!, ("password", "certainly-not-the-password"), ("to", user.Key))).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await PostAsync("/admin/prove", admin.Token!, ("to", user.Key))).Status.ShouldBe(HttpStatusCode.BadRequest);

        // Nowhere else than to a user's page, whatever the form says.
        var elsewhere = await PostAsync("/admin/prove", admin.Token!, ("password", FeatureHost.Password), ("to", "//evil.example"));
        elsewhere.Location.ShouldBe("/admin/second-factor");
        var proved = elsewhere.Response.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith("__Host-session=", StringComparison.Ordinal)).Split('=', 2)[1].Split(';')[0];
        (await PostAsync($"/admin/users/{user.Key}/disable", proved)).Location!.ShouldEndWith("notice=disabled");
        (await host.FindAsync(user))!.DisabledAt.ShouldNotBeNull();
    }

    [Fact]
    public async Task Page_HasStrictHeaders_AndEncodesWhatUsersWrote()
    {
        var admin = await host.SignedInAsync(await host.AccountAsync(roles: [Roles.Admin]));
        var user = await host.AccountAsync();
        await host.SignedInAsync(user, "<img src=x onerror=alert(1)>");

        var (status, _, response) = await SendAsync(new Uri(Address, $"/admin/users/{user.Key}"), admin.Token);

        status.ShouldBe(HttpStatusCode.OK);
        response.Headers.GetValues("Content-Security-Policy").Single().ShouldBe(PageHeaders.ContentSecurityPolicy);
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        var html = await response.Content.ReadAsStringAsync();
        html.ShouldNotContain("<img");
        html.ShouldContain("&lt;img src=x");
        html.ShouldNotContain(" style=");
    }

    private async Task<(HttpStatusCode Status, string? Location, HttpResponseMessage Response)> PostAsync(string path, string session, params (string Name, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent(
            [new("form", SessionCookies.AntiforgeryTokenOf(session)), .. fields.Select(field => new KeyValuePair<string, string>(field.Name, field.Value))]);
        return await SendAsync(new Uri(Address, path), session, form);
    }

    private static async Task<(HttpStatusCode Status, string? Location, HttpResponseMessage Response)> SendAsync(
        Uri address, string? token = null, HttpContent? form = null, string? site = null)
    {
        using var request = new HttpRequestMessage(form is null ? HttpMethod.Get : HttpMethod.Post, address) { Content = form };
        if (token is not null)
        {
            request.Headers.Add("Cookie", $"{SessionCookieOptions.Session}={token}");
        }

        if (site is not null)
        {
            request.Headers.Add("Sec-Fetch-Site", site);
        }

        var response = await Http.SendAsync(request);
        return (response.StatusCode, response.Headers.Location?.ToString(), response);
    }
}
