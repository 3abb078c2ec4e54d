using Maintenance.Pages.BrowserTests.Browsing;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.FeatureTests;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Maintenance.Pages.BrowserTests.Admin;

/// <summary>The web host's pages for administrators in a real browser, on real Redis and PostgreSQL.</summary>
[Collection(BrowserCollection.Name)]
public sealed class AdminPageTests(Chromium chromium, FeatureHost host) : IClassFixture<FeatureHost>
{
    private static readonly LocatorAssertionsToContainTextOptions Patient = new() { Timeout = 60_000 };

    private Uri Address => new($"http://127.0.0.1:{host.Settings["Management:Port"]}");

    [Theory]
    [InlineData("desktop-light")]
    [InlineData("desktop-dark")]
    [InlineData("phone-light")]
    [InlineData("phone-dark")]
    public async Task Pages_AreAccessible_AndFit_InEveryView(string view)
    {
        var admin = await AdminAsync();
        var user = await UserWithSessionsAsync();
        var shut = await host.AccountAsync();
        await host.Database.ExecuteAsync("UPDATE users SET disabled_at = now() - interval '2 days' WHERE id = $1", shut.Id);
        await using var window = await chromium.OpenAsync(Address, View.Named(view));
        var page = window.Page;
        await page.GotoAsync("admin");
        await window.ShouldBeGoodAsync("admin-sign-in");
        await SignInAsync(page, admin, "certainly-not-the-password");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("wrong", Patient);
        await window.ShouldBeGoodAsync("admin-sign-in-wrong");
        await SignInAsync(page, admin);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Users" })).ToBeVisibleAsync();
        await window.ShouldBeGoodAsync("admin-users");
        await page.GotoAsync($"admin/users/{user.Key}");
        await page.Locator("#end-all > summary").ClickAsync();
        await page.Locator("#disable > summary").ClickAsync();
        await window.ShouldBeGoodAsync("admin-user");
        await page.GotoAsync($"admin/users/{shut.Key}");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Enable the account" })).ToBeVisibleAsync();
        await window.ShouldBeGoodAsync("admin-user-disabled");
        // Events are written behind the requests, and the page shows what there was when it was asked for.
        await Eventually.TrueAsync(
            async () =>
            {
                await page.GotoAsync("admin/audit");
                return (await page.Locator("#events").TextContentAsync())!.Contains("login", StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(60));
        await window.ShouldBeGoodAsync("admin-audit");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Admin_FindsAUser_EndsOneSession_ThenAll_AndTheLogTellsWho(bool javaScript)
    {
        var admin = await AdminAsync();
        var user = await UserWithSessionsAsync();
        await using var window = await chromium.OpenAsync(Address, View.Desktop, javaScript);
        var page = window.Page;
        await page.GotoAsync("admin");
        await SignInAsync(page, admin);
        await page.GetByLabel("Begin of the e-mail address").FillAsync(user.Email[..20]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Find" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = user.Email }).ClickAsync();
        await Expect(page.Locator("#sessions-title")).ToHaveTextAsync("3 sessions");
        await Expect(page.GetByRole(AriaRole.Article, new() { Name = "Device Work laptop" }).Locator("li")).ToHaveCountAsync(2);

        await page.GetByRole(AriaRole.Article, new() { Name = "Device Pixel 9" }).GetByRole(AriaRole.Button).ClickAsync();
        await Expect(page.Locator("#notice")).ToContainTextAsync("The session has ended");
        await Expect(page.Locator("#sessions-title")).ToHaveTextAsync("2 sessions");
        (await host.SessionStore.ListAsync(user.Key, CancellationToken.None)).Select(session => session.DeviceName).ShouldBe(["Work laptop", "Work laptop"]);

        await page.Locator("#end-all > summary").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "End every session now" }).ClickAsync();
        await Expect(page.Locator("#sessions-title")).ToHaveTextAsync("0 sessions");
        (await host.SessionStore.ListAsync(user.Key, CancellationToken.None)).ShouldBeEmpty();

        await Eventually.TrueAsync(
            async () =>
            {
                await page.GotoAsync($"admin/audit?user={user.Key}");
                return (await page.Locator("#events").TextContentAsync())!.Contains(AuditActions.AdminSessionsEnded, StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(60));
        var rows = page.Locator("#events tbody tr");
        await Expect(rows.Nth(0)).ToContainTextAsync(AuditActions.AdminSessionsEnded);
        await Expect(rows.Nth(1)).ToContainTextAsync(AuditActions.AdminSessionEnded);
        await Expect(rows.Nth(0).GetByRole(AriaRole.Link, new() { Name = $"Done by {admin.Key}" })).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        await page.GotoAsync("admin");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        (await host.SessionStore.ListAsync(admin.Key, CancellationToken.None)).ShouldBeEmpty("signing out ends the session, not only the cookie");
        window.ShouldBeQuiet();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Admin_DisablesEnablesAndUnlocksAnAccount_ByButtons_ButNeverTheOwn(bool javaScript)
    {
        var admin = await AdminAsync();
        var user = await UserWithSessionsAsync();
        await using var window = await chromium.OpenAsync(Address, javaScript ? View.Desktop : View.Phone, javaScript);
        var page = window.Page;
        await page.GotoAsync("admin");
        await SignInAsync(page, admin);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Users" })).ToBeVisibleAsync();

        await host.Database.ExecuteAsync("UPDATE users SET lockout_end = now() + interval '1 hour' WHERE id = $1", user.Id);
        (await LogInAsync(user)).ShouldNotBe(200);
        await page.GotoAsync($"admin/users/{user.Key}");
        await Expect(page.Locator("#who + dl")).ToContainTextAsync("locked");
        await Expect(page.Locator("#account")).ToContainTextAsync("It is locked until");
        if (javaScript)
        {
            // Axe is a script.
            await window.ShouldBeGoodAsync("admin-user-locked");
        }

        await page.GetByRole(AriaRole.Button, new() { Name = "Unlock" }).ClickAsync();
        await Expect(page.Locator("#notice")).ToContainTextAsync("not locked");
        await Expect(page.Locator("#who + dl")).ToContainTextAsync("open");
        (await LogInAsync(user)).ShouldBe(200);

        await page.Locator("#disable > summary").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Disable the account now" }).ClickAsync();
        await Expect(page.Locator("#notice")).ToContainTextAsync("is disabled");
        await Expect(page.Locator("#sessions-title")).ToHaveTextAsync("0 sessions");
        await Expect(page.Locator("#who + dl")).ToContainTextAsync("disabled");
        (await LogInAsync(user)).ShouldNotBe(200);

        await page.GetByRole(AriaRole.Button, new() { Name = "Enable the account" }).ClickAsync();
        await Expect(page.Locator("#notice")).ToContainTextAsync("open again");
        (await LogInAsync(user)).ShouldBe(200);

        string[] actions = [AuditActions.AdminUnlocked, AuditActions.AccountDisabled, AuditActions.AccountEnabled];
        await Eventually.TrueAsync(
            async () => await host.Database.ScalarAsync<long>(
                "SELECT count(DISTINCT action) FROM audit_events WHERE user_id = $1 AND actor_id = $2 AND action = ANY($3)", user.Key, admin.Key, actions) == 3,
            TimeSpan.FromSeconds(60),
            "the trail tells who did it");

        await page.GotoAsync($"admin/users/{admin.Key}");
        await Expect(page.Locator("#account")).ToBeVisibleAsync();
        await Expect(page.Locator("#disable")).ToHaveCountAsync(0);
        window.ShouldBeQuiet();
    }

    [Fact]
    public async Task Admin_WithASecondFactor_IsAskedForIt()
    {
        const string Key = "GEZDGNBVGY3TQOJQ";
        var admin = await AdminAsync();
        await host.Database.ExecuteAsync($"UPDATE users SET two_factor_enabled = true, authenticator_key = '{Key}' WHERE id = $1", admin.Id);
        await using var window = await chromium.OpenAsync(Address, View.Phone);
        var page = window.Page;
        await page.GotoAsync("admin");
        await SignInAsync(page, admin);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Second factor" })).ToBeVisibleAsync();
        (await page.GotoAsync("admin"))!.Url.ShouldEndWith("/admin/sign-in", customMessage: "half a sign-in is none");
        await SignInAsync(page, admin);
        await page.GetByLabel("Code").FillAsync("000000");
        await page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The code is wrong", Patient);
        await window.ShouldBeGoodAsync("admin-code-wrong");
        await page.GetByLabel("Code").FillAsync(Totp.Code(Key, TimeProvider.System.GetUtcNow()));
        await page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Users" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task SomebodyElse_IsNotLetIn_AndNothingOfTheSignInStays()
    {
        var user = await host.AccountAsync();
        await using var window = await chromium.OpenAsync(Address, View.Desktop);
        await window.Page.GotoAsync("admin");
        await SignInAsync(window.Page, user);
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not an administrator", Patient);
        (await window.Context.CookiesAsync()).ShouldBeEmpty();
        (await host.SessionStore.ListAsync(user.Key, CancellationToken.None)).ShouldBeEmpty();
    }

    private static async Task SignInAsync(IPage page, User user, string password = FeatureHost.Password)
    {
        await page.GetByLabel("E-mail address").FillAsync(user.Email);
        await page.GetByLabel("Password").FillAsync(password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
    }

    private async Task<int> LogInAsync(User user) =>
        (await host.Client().PostAsync("/api/auth/login", new { email = user.Email, password = FeatureHost.Password, device = "test" })).Status;

    private Task<User> AdminAsync() => host.AccountAsync(roles: [Roles.Admin]);

    private async Task<User> UserWithSessionsAsync()
    {
        var user = await host.AccountAsync();
        foreach (var device in new[] { "Work laptop", "Work laptop", "Pixel 9" })
        {
            await host.SignedInAsync(user, device);
        }

        return user;
    }
}
