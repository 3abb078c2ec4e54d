using System.Net;
using Maintenance.Pages.BrowserTests.Browsing;
using Maintenance.Testing;
using Maintenance.WebHost.FeatureTests;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Maintenance.Pages.BrowserTests.Admin;

/// <summary>
/// The administrator's pages at the API's port, and while Redis or PostgreSQL is away: a page that says so, never half a page, never an error of the host.
/// </summary>
[Collection(BrowserCollection.Name)]
public sealed class AdminOutageTests(Chromium chromium)
{
    [Fact]
    public async Task Pages_SayThatNothingWasDecided_WhileRedisOrPostgresIsAway_AndGoOnAfterwards()
    {
        await using var postgres = await PostgresServer.StartAsync();
        var host = new FeatureHost
        {
            Postgres = postgres,
            More = new(StringComparer.Ordinal) { ["AdminPages:OnApiPort"] = "true", ["Storage:RateLimits:login-account:Permits"] = "5" },
        };
        await host.InitializeAsync();
        try
        {
            var user = await host.AccountAsync();
            var admin = await host.AccountAsync(roles: [Roles.Admin]);
            var session = await host.SignedInAsync(admin);
            await using var window = await chromium.OpenAsync(host.Address, View.Desktop);
            window.Expects(HttpStatusCode.ServiceUnavailable);
            // A cookie that is Secure; browsers keep it on loopback as if it were TLS.
            await window.Context.AddCookiesAsync([new Microsoft.Playwright.Cookie { Name = SessionCookieOptions.Session, Value = session.Token!, Url = host.Address.AbsoluteUri.Replace("http:", "https:", StringComparison.Ordinal), Secure = true }]);
            var page = window.Page;
            await page.GotoAsync($"admin/users/{user.Key}");
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = user.Email })).ToBeVisibleAsync();

            await postgres.KillAsync();
            (await page.GotoAsync("admin"))!.Status.ShouldBe(503);
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No answer" })).ToBeVisibleAsync();
            await window.ShouldBeGoodAsync("admin-no-database");
            await postgres.RestartAsync();
            await page.GetByRole(AriaRole.Link, new() { Name = "Try again" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Users" })).ToBeVisibleAsync();

            // A lock that only Redis knows is shown, and ended.
            await Eventually.TrueAsync(
                async () => (await host.Client().PostAsync("/api/auth/login", new { email = user.Email, password = "wrong-horse-battery-staple" })).Status == 429, TimeSpan.FromMinutes(1));
            await page.GotoAsync($"admin/users/{user.Key}");
            await Expect(page.Locator("#account")).ToContainTextAsync("It is locked until");
            await page.GetByRole(AriaRole.Button, new() { Name = "Unlock" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Forget failed log-ins" })).ToBeVisibleAsync();
            (await host.Client().PostAsync("/api/auth/login", new { email = user.Email, password = FeatureHost.Password })).Status.ShouldBe(200);

            await host.Redis.KillAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "Forget failed log-ins" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No answer" })).ToBeVisibleAsync();
            await window.ShouldBeGoodAsync("admin-no-redis");
            (await page.GotoAsync("admin/audit"))!.Status.ShouldBe(503, "nobody is sent to sign in because Redis is away");

            // Nor can anybody sign in, which is said as a page too.
            await page.GotoAsync("admin/sign-in");
            await page.GetByLabel("E-mail address").FillAsync(admin.Email);
            await page.GetByLabel("Password").FillAsync(FeatureHost.Password);
            await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
            await Expect(page.Locator("main")).ToContainTextAsync("does not answer");

            await host.Redis.RestartAsync();
            await Eventually.TrueAsync(async () => (await page.GotoAsync("admin/sign-in"))!.Ok && (await page.GotoAsync("admin"))!.Url.EndsWith("/sign-in", StringComparison.Ordinal), TimeSpan.FromSeconds(60), "an empty Redis knows no session");
        }
        finally
        {
            await host.DisposeAsync();
        }
    }
}
