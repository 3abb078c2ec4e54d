using Maintenance.Pages.BrowserTests.Browsing;
using Maintenance.Testing;
using Maintenance.Worker.RedisTests;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Maintenance.Pages.BrowserTests.Status;

/// <summary>The worker's page when it matters most, and behind its door.</summary>
[Collection(BrowserCollection.Name)]
public sealed class StatusOutageTests(Chromium chromium)
{
    private static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Page_ShowsAnOutage_WithoutWaitingForRedis_AndItsEndByItself()
    {
        await using var server = await RedisServer.StartAsync();
        await using var worker = await WorkerProcess.StartAsync(
            server.Url,
            ("Results__RefreshInterval", "00:00:01"),
            ("Storage__Redis__Deadline", $"{CallDeadline}"),
            ("Jobs__RedisHealth__Schedule", "00:00:02"),
            ("Jobs__RedisHealth__Deadline", "00:00:02"),
            // A job that happens to begin in the outage fails, and may not come again for hours.
            ("Jobs__SessionCleanup__Enabled", "false"),
            ("Jobs__IndexReconciliation__Enabled", "false"),
            ("Jobs__MemoryAlerts__Enabled", "false"),
            ("Jobs__KeyspaceStats__Enabled", "false"),
            // This machine's pings are not what is shown.
            ("Jobs__RedisHealth__PingP99Degraded", "00:01:00"),
            ("Jobs__RedisHealth__SlowCommandDegraded", "00:01:00"));
        await using var window = await chromium.OpenAsync(worker.Http.BaseAddress!, View.Desktop);
        await window.Page.GotoAsync("");
        await Expect(window.Page.Locator("#nodes")).ToContainTextAsync("99 % within", new() { Timeout = 60_000 });

        await server.PauseAsync();
        await Expect(window.Page.Locator("#verdict-title")).ToContainTextAsync("Unhealthy", new() { Timeout = 60_000 });
        await Expect(window.Page.Locator("#verdict")).ToContainTextAsync("This replica gets no answer");
        await Expect(window.Page.Locator("#alerts")).ToContainTextAsync("Runbook: docs/runbooks/redis-down.md", new() { Timeout = 60_000 });
        // Redis answers nothing, and a call to it would last its deadline, each time. A busy machine holds up one or two.
        var quickest = TimeSpan.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            var started = TimeProvider.System.GetTimestamp();
            (await worker.StatusAsync("/")).ShouldBe(200);
            var took = TimeProvider.System.GetElapsedTime(started);
            quickest = took < quickest ? took : quickest;
        }

        quickest.ShouldBeLessThan(CallDeadline);
        await window.ShouldBeGoodAsync("status-outage");

        await server.ResumeAsync();
        await Expect(window.Page.Locator("#verdict-title")).ToContainTextAsync("Everything is healthy", new() { Timeout = 60_000 });
    }

    [Fact]
    public async Task RequireToken_ShowsNothingButTheDoor_UntilTheTokenIsGiven_AndANewTokenClosesIt()
    {
        await using var server = await RedisServer.StartAsync();
        await using var window = await OpenBehindDoorAsync(server, WorkerProcess.Token, null);
        var cookies = await window.Context.CookiesAsync();
        var cookie = cookies.ShouldHaveSingleItem();
        cookie.HttpOnly.ShouldBeTrue();
        cookie.SameSite.ShouldBe(SameSiteAttribute.Strict);
        cookie.Value.ShouldNotContain(WorkerProcess.Token);

        // The same cookie at a worker with another token.
        (await OpenBehindDoorAsync(server, "quite-another-token", cookie.Value)).ShouldNotBeNull();
    }

    /// <summary>Opens the page of a worker that asks for a token. Without a cookie it signs in; with one, it must not be let in by it.</summary>
    private async Task<Window> OpenBehindDoorAsync(RedisServer server, string token, string? cookie)
    {
        await using var worker = await WorkerProcess.StartAsync(server.Url, ("Management__RequireToken", "true"), ("Management__Token", token));
        var window = await chromium.OpenAsync(worker.Http.BaseAddress!, View.Phone);
        if (cookie is not null)
        {
            await window.Context.AddCookiesAsync([new Cookie { Name = "maintenance-page", Value = cookie, Url = worker.Http.BaseAddress!.AbsoluteUri }]);
        }

        var response = await window.Page.GotoAsync("");
        response!.Status.ShouldBe(401);
        await Expect(window.Page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        (await window.Page.ContentAsync()).ShouldNotContain("redis-health");
        if (cookie is null)
        {
            await window.Page.GetByLabel("Token").FillAsync(token);
            await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
            await Expect(window.Page.Locator("#job-redis-health")).ToBeVisibleAsync();
            await Expect(window.Page.Locator("#live-text")).ToHaveTextAsync("Live", new() { Timeout = 60_000 });
            (await window.Page.GotoAsync("health"))!.Status.ShouldBeOneOf(200, 503);
        }

        return window;
    }
}
