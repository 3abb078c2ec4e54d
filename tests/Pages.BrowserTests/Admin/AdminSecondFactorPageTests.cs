using System.Net;
using Maintenance.Pages.BrowserTests.Browsing;
using Maintenance.WebHost.FeatureTests;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Maintenance.Pages.BrowserTests.Admin;

/// <summary>An administrator without the second factor that the role needs, and one whose last proof is too long ago, in a real browser.</summary>
[Collection(BrowserCollection.Name)]
public sealed class AdminSecondFactorPageTests(Chromium chromium)
{
    private static readonly LocatorAssertionsToBeVisibleOptions Patient = new() { Timeout = 60_000 };

    [Theory]
    [InlineData("desktop-light")]
    [InlineData("phone-dark")]
    public async Task Administrator_TurnsTheSecondFactorOn_AndProvesToBeThere_BeforeAButtonWorks(string view)
    {
        var host = new FeatureHost { More = new(StringComparer.Ordinal) { ["Admin:RequireSecondFactor"] = "true" } };
        await host.InitializeAsync();
        try
        {
            var (admin, user) = (await host.AccountAsync(roles: [Roles.Admin]), await host.AccountAsync());
            await using var window = await chromium.OpenAsync(new Uri($"http://127.0.0.1:{host.Settings["Management:Port"]}"), View.Named(view));
            window.Expects(HttpStatusCode.BadRequest);
            var page = window.Page;
            await page.GotoAsync("admin/sign-in");
            await page.GetByLabel("E-mail address").FillAsync(admin.Email);
            await page.GetByLabel("Password").FillAsync(FeatureHost.Password);
            await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
            await Expect(page.GetByText("Administrators need a second factor here")).ToBeVisibleAsync(Patient);
            await window.ShouldBeGoodAsync("admin-second-factor");
            (await page.GotoAsync($"admin/users/{user.Key}"))!.Url.ShouldEndWith("/admin/second-factor");

            await page.GetByRole(AriaRole.Button, new() { Name = "Set it up" }).ClickAsync();
            var key = await page.Locator("#key").InnerTextAsync();
            (await page.Locator("img").EvaluateAsync<int>("image => image.decode().then(() => image.naturalWidth)")).ShouldBeGreaterThan(100);
            await window.ShouldBeGoodAsync("admin-second-factor-key");
            await page.GetByLabel("Code").FillAsync("000000");
            await page.GetByRole(AriaRole.Button, new() { Name = "Turn it on" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync(Patient);
            (await page.Locator("#key").InnerTextAsync()).ShouldBe(key);
            await page.GetByLabel("Code").FillAsync(Totp.Code(key, TimeProvider.System.GetUtcNow()));
            await page.GetByRole(AriaRole.Button, new() { Name = "Turn it on" }).ClickAsync();
            await Expect(page.Locator("#recovery-codes li")).ToHaveCountAsync(10);
            await window.ShouldBeGoodAsync("admin-recovery-codes");
            await page.GetByRole(AriaRole.Link, new() { Name = "To the users" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Users" })).ToBeVisibleAsync(Patient);

            // Its session goes on by a refresh token: nobody was there.
            var refreshed = await host.RefreshedAsync(admin);
            await window.Context.AddCookiesAsync([new Microsoft.Playwright.Cookie { Name = SessionCookieOptions.Session, Value = refreshed.Token!, Url = $"https://127.0.0.1:{host.Settings["Management:Port"]}/", Secure = true }]);
            await page.GotoAsync($"admin/users/{user.Key}");
            await page.GetByRole(AriaRole.Button, new() { Name = "Forget failed log-ins" }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Is it you?" })).ToBeVisibleAsync(Patient);
            await window.ShouldBeGoodAsync("admin-prove");
            await page.GetByLabel("Password").FillAsync(FeatureHost.Password);
            // The next code: the one of before has been used.
            await page.GetByLabel("Code").FillAsync(Totp.Code(key, TimeProvider.System.GetUtcNow().AddSeconds(Totp.StepSeconds)));
            await page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
            await Expect(page.Locator("#notice")).ToContainTextAsync("press the button again", new() { Timeout = 60_000 });
            await page.GetByRole(AriaRole.Button, new() { Name = "Forget failed log-ins" }).ClickAsync();
            await Expect(page.Locator("#notice")).ToContainTextAsync("are forgotten", new() { Timeout = 60_000 });
        }
        finally
        {
            await host.DisposeAsync();
        }
    }
}
