using Maintenance.Pages.BrowserTests.Browsing;
using Maintenance.Testing;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.FeatureTests;
using Maintenance.WebHost.Users;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Maintenance.Pages.BrowserTests.Admin;

/// <summary>An administrator without a mouse.</summary>
[Collection(BrowserCollection.Name)]
public sealed class AdminKeyboardTests(Chromium chromium, FeatureHost host) : IClassFixture<FeatureHost>
{
    [Fact]
    public async Task Admin_ByKeyboardOnly_SignsIn_FindsAUser_EndsOneSession_ThenAll_AndReadsTheLog()
    {
        var admin = await host.AccountAsync(roles: [Roles.Admin]);
        var user = await host.AccountAsync();
        foreach (var device in new[] { "Work laptop", "Pixel 9" })
        {
            await host.SignedInAsync(user, device);
        }

        await using var window = await chromium.OpenAsync(new Uri($"http://127.0.0.1:{host.Settings["Management:Port"]}"), View.Desktop);
        var (page, keyboard) = (window.Page, new KeyboardReader(window.Page));
        await page.GotoAsync("admin");
        await Expect(page.GetByLabel("E-mail address")).ToBeFocusedAsync();
        await keyboard.ReadsAllAsync();
        await keyboard.GoBackToAsync(page.GetByLabel("E-mail address"));
        await keyboard.TypeAsync(admin.Email);
        await keyboard.PressAsync("Tab");
        await keyboard.TypeAsync(FeatureHost.Password);
        await keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Users" })).ToBeVisibleAsync();

        await keyboard.GoToAsync(page.GetByLabel("Begin of the e-mail address"));
        await keyboard.TypeAsync(user.Email[..20]);
        await keyboard.PressAsync("Enter");
        var found = page.GetByRole(AriaRole.Link, new() { Name = user.Email });
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("[?]q="));
        await keyboard.ReadsAllAsync();
        await keyboard.GoToAsync(found);
        await keyboard.PressAsync("Enter");

        await Expect(page.Locator("#sessions-title")).ToHaveTextAsync("2 sessions");
        await keyboard.ReadsAllAsync();
        await keyboard.GoToAsync(page.GetByRole(AriaRole.Article, new() { Name = "Device Pixel 9" }).GetByRole(AriaRole.Button));
        await keyboard.PressAsync("Enter");
        await Expect(page.Locator("#notice")).ToContainTextAsync("The session has ended");
        (await host.SessionStore.ListAsync(user.Key, CancellationToken.None)).Select(session => session.DeviceName).ShouldBe(["Work laptop"]);

        await keyboard.GoToAsync(page.Locator("#end-all > summary"));
        var end = page.GetByRole(AriaRole.Button, new() { Name = "End every session now" });
        await Expect(end).ToBeHiddenAsync();
        await keyboard.PressAsync("Space");
        await Expect(end).ToBeVisibleAsync();
        await keyboard.PressAsync("Tab");
        await Expect(end).ToBeFocusedAsync();
        await keyboard.PressAsync("Space");
        await Expect(page.Locator("#sessions-title")).ToHaveTextAsync("0 sessions");
        (await host.SessionStore.ListAsync(user.Key, CancellationToken.None)).ShouldBeEmpty();

        await keyboard.GoToAsync(page.GetByRole(AriaRole.Link, new() { Name = "Audit log", Exact = true }));
        await keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Audit log" })).ToBeVisibleAsync();
        await keyboard.GoToAsync(page.GetByLabel("User's id"));
        await keyboard.TypeAsync(user.Key);
        var events = page.Locator("#events");
        // Events are written behind the requests: asked for again until both are there.
        await Eventually.TrueAsync(
            async () =>
            {
                await keyboard.GoToAsync(page.GetByRole(AriaRole.Button, new() { Name = "Show" }));
                // An answer is there before its page has taken the place of the one that asked.
                await page.EvaluateAsync("window.asked = true");
                await keyboard.PressAsync("Enter");
                await Eventually.TrueAsync(() => page.EvaluateAsync<bool>("!window.asked && document.readyState === 'complete'"), TimeSpan.FromSeconds(60));
                var text = (await events.TextContentAsync())!;
                return text.Contains(AuditActions.AdminSessionEnded, StringComparison.Ordinal) && text.Contains(AuditActions.AdminSessionsEnded, StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(60));
        await keyboard.ReadsAllAsync();

        await keyboard.GoToAsync(page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }));
        await keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        window.ShouldBeQuiet();
    }
}
