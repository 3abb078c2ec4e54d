using Maintenance.Pages.BrowserTests.Browsing;
using Maintenance.Testing;
using Maintenance.Worker.Demo;
using Maintenance.Worker.RedisTests;
using Maintenance.Worker.Scheduling;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Maintenance.Pages.BrowserTests.Status;

/// <summary>The worker's page in a real browser.</summary>
[Collection(BrowserCollection.Name)]
public sealed class StatusPageTests(Chromium chromium, StatusBed bed) : IClassFixture<StatusBed>
{
    private static readonly LocatorAssertionsToBeVisibleOptions Patient = new() { Timeout = 60_000 };

    [Theory]
    [InlineData("desktop-light")]
    [InlineData("desktop-dark")]
    [InlineData("phone-light")]
    [InlineData("phone-dark")]
    public async Task Page_IsAccessible_AndFits_InEveryView(string view)
    {
        await using var window = await chromium.OpenAsync(bed.Address, View.Named(view));
        var page = window.Page;
        await page.GotoAsync("sign-in");
        await window.ShouldBeGoodAsync("sign-in");
        await SignInAsync(page, "certainly-not-the-token");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not the token");
        await window.ShouldBeGoodAsync("sign-in-wrong");
        await SignInAsync(page);
        await ShownAsync(page);
        await window.ShouldBeGoodAsync("status");
        foreach (var summary in await page.Locator("details > summary").AllAsync())
        {
            await summary.ClickAsync();
        }

        await window.ShouldBeGoodAsync("status-open");
    }

    [Fact]
    public async Task Page_ShowsHealthMemoryDriftAndRuns()
    {
        await using var window = await chromium.OpenAsync(bed.Address, View.Desktop);
        var page = window.Page;
        await page.GotoAsync("");
        await ShownAsync(page);

        var node = page.GetByRole(AriaRole.Article, new() { Name = $"Redis node 127.0.0.1:{bed.Server.Port}" });
        await Expect(page.Locator("#verdict dl")).ToContainTextAsync("answering: one server");
        await Expect(node).ToContainTextAsync("noeviction");
        await Expect(node).ToContainTextAsync("of 22.9 MiB (maxmemory)");
        await Expect(node).ToContainTextAsync("primary");
        await Expect(node.GetByRole(AriaRole.Img, new() { NameRegex = new("Used memory of the last .* between") })).ToBeVisibleAsync();
        await Expect(node.Locator("figcaption")).ToContainTextAsync("Grows by");
        await Expect(page.Locator("#drift .bar")).ToHaveCountAsync(await ResultsAsync(JobNames.IndexReconciliation), new() { Timeout = 60_000 });
        await Expect(page.Locator("#job-session-cleanup .run")).ToHaveCountAsync(30);
        await Expect(page.Locator("#job-session-cleanup .run-failed")).ToHaveCountAsync(1);
        await Expect(page.Locator("#keys")).ToContainTextAsync("session");
        (await page.Locator("form[action=run]").CountAsync()).ShouldBe(0, "nobody signed in");
        window.ShouldBeQuiet();
    }

    [Fact]
    public async Task Run_BeginsByAClick_MendsTheStore_AndItsResultArrivesWithoutAReload()
    {
        await using var window = await chromium.OpenAsync(bed.Address, View.Desktop);
        var page = window.Page;
        await page.GotoAsync("sign-in");
        await SignInAsync(page);
        await ShownAsync(page);
        var before = await ResultsAsync(JobNames.IndexReconciliation);
        await page.GetByRole(AriaRole.Button, new() { Name = "Run now: index-reconciliation" }).ClickAsync();
        var job = page.Locator("#job-index-reconciliation");
        await Expect(job.GetByRole(AriaRole.Status)).ToContainTextAsync("The run has begun");
        await page.EvaluateAsync("window.neverReloaded = true");

        await Eventually.TrueAsync(async () => await ResultsAsync(JobNames.IndexReconciliation) > before, TimeSpan.FromSeconds(180));
        await Expect(job.Locator(".counts")).ToContainTextAsync($"{bed.Planted[DemoDamage.DeletedSessions]} members without a session removed", new() { Timeout = 60_000 });
        await Expect(job.Locator(".counts")).ToContainTextAsync($"{bed.Planted[DemoDamage.MissingSessions]} sessions put back into their index");
        await Expect(page.Locator("#alerts")).ToContainTextAsync("index drift", new() { Timeout = 60_000 });
        (await page.EvaluateAsync<bool>("window.neverReloaded === true")).ShouldBeTrue();
        await Expect(page.Locator("#live-text")).ToHaveTextAsync("Live");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Runbook for index drift", Exact = true }))
            .ToHaveAttributeAsync("href", "https://docs.example.org/runbooks/index-drift.md");
        await window.ShouldBeGoodAsync("status-alert");
        foreach (var view in (string[])["desktop-dark", "phone-light", "phone-dark"])
        {
            await using var other = await chromium.OpenAsync(bed.Address, View.Named(view));
            await other.Page.GotoAsync("");
            await Expect(other.Page.GetByRole(AriaRole.Link, new() { Name = "Runbook for index drift" })).ToBeVisibleAsync(Patient);
            await other.ShouldBeGoodAsync("status-alert");
        }
    }

    [Fact]
    public async Task Button_IsNotTakenFromUnderTheFinger_ByALiveChange()
    {
        await using var window = await chromium.OpenAsync(bed.Address, View.Desktop);
        var page = window.Page;
        await page.GotoAsync("sign-in");
        await SignInAsync(page);
        await ShownAsync(page);
        await Expect(page.Locator("#live-text")).ToHaveTextAsync("Live");
        var button = page.GetByRole(AriaRole.Button, new() { Name = "Dry run: session-cleanup, only look" });
        await button.HoverAsync();
        await page.Mouse.DownAsync();
        var (before, shownBefore, runs) = (await page.Locator("#job-session-cleanup .run-dry").CountAsync(), Dry(await bed.Worker.Http.GetStringAsync("/")), await DryRunsAsync());
        // From now on: the page may ask for itself again before this test sees that the run has ended.
        var answers = new System.Collections.Concurrent.ConcurrentQueue<IResponse>();
        page.Response += (_, response) => answers.Enqueue(response);

        // Another one runs the job: its card changes on every page.
        await Eventually.TrueAsync(
            async () => (await bed.Worker.SendAsync(HttpMethod.Post, $"/api/jobs/{JobNames.SessionCleanup}/run?dryRun=true")).Status == 202,
            TimeSpan.FromSeconds(60),
            "a run of before may go on");
        await Eventually.TrueAsync(async () => await DryRunsAsync() > runs, TimeSpan.FromSeconds(60));
        await Eventually.TrueAsync(
            async () =>
            {
                foreach (var answer in answers.Where(answer => new Uri(answer.Url).AbsolutePath == "/" && answer.Ok))
                {
                    if (Dry(await answer.TextAsync()) > shownBefore)
                    {
                        return true;
                    }
                }

                return false;
            },
            TimeSpan.FromSeconds(60),
            "the page has got what has changed");
        (await page.Locator("#job-session-cleanup .run-dry").CountAsync()).ShouldBe(before, "the card waits");
        await page.Mouse.UpAsync();

        await Expect(page.Locator("#job-session-cleanup").GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await Expect(page.Locator("#job-session-cleanup .run-dry")).Not.ToHaveCountAsync(before);
        window.ShouldBeQuiet();

        static int Dry(string html) => html.Split("run-dry").Length;

        async Task<int> DryRunsAsync() => (await bed.Worker.JsonAsync($"/api/jobs/{JobNames.SessionCleanup}"))
            .GetProperty("results").EnumerateArray().Count(result => result.GetProperty("dry_run").GetBoolean());
    }

    [Fact]
    public async Task Page_WorksWithoutJavaScript()
    {
        await using var window = await chromium.OpenAsync(bed.Address, View.Phone, javaScript: false);
        var page = window.Page;
        await page.GotoAsync("");
        await page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).ClickAsync();
        await SignInAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Dry run: session-cleanup, only look" }).ClickAsync();
        await Expect(page.Locator("#job-session-cleanup").GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                await page.GetByRole(AriaRole.Link, new() { Name = "Refresh" }).ClickAsync();
                return await page.Locator("#job-session-cleanup .run-dry").CountAsync() >= 2;
            },
            TimeSpan.FromSeconds(60));
        await page.Locator("#runs-session-cleanup > summary").ClickAsync();
        await Expect(page.Locator("#runs-session-cleanup table")).ToContainTextAsync("dry run");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Sign in" })).ToBeVisibleAsync();
        window.ShouldBeQuiet();
    }

    [Fact]
    public async Task Pause_IsSetAndEndedByClicks()
    {
        await using var window = await chromium.OpenAsync(bed.Address, View.Desktop);
        var page = window.Page;
        await page.GotoAsync("sign-in");
        await SignInAsync(page);
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause all jobs for an hour" }).ClickAsync();
        await Expect(page.Locator("#verdict")).ToContainTextAsync("paused by the status page until");
        await page.GetByRole(AriaRole.Button, new() { Name = "Run now: redis-health" }).ClickAsync();
        await Expect(page.Locator("#job-redis-health").GetByRole(AriaRole.Status)).ToContainTextAsync("Not begun: all jobs are paused");
        await page.GetByRole(AriaRole.Button, new() { Name = "End the pause" }).ClickAsync();
        await Expect(page.Locator("#verdict")).Not.ToContainTextAsync("paused");
        (await bed.Server.ExecuteAsync("EXISTS", "maintenance:pause")).ShouldBe(0L);
        window.ShouldBeQuiet();
    }

    [Fact]
    public async Task Runs_AreReadWithTheKeyboard()
    {
        await using var window = await chromium.OpenAsync(bed.Address, View.Desktop);
        var page = window.Page;
        await page.GotoAsync("");
        await ShownAsync(page);
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Skip to the content" })).ToBeFocusedAsync();

        var runs = page.Locator("#job-session-cleanup .run");
        await runs.Last.FocusAsync();
        await Expect(runs.Last.Locator(".tip")).ToBeVisibleAsync();
        for (var i = 0; i < 3; i++)
        {
            await page.Keyboard.PressAsync("ArrowLeft");
        }

        await Expect(runs.Nth(26)).ToBeFocusedAsync();
        await Expect(runs.Nth(26).Locator(".tip")).ToBeVisibleAsync();
        await Expect(runs.Last.Locator(".tip")).ToBeHiddenAsync();
        await page.Keyboard.PressAsync("Home");
        await Expect(runs.First).ToBeFocusedAsync();
        window.ShouldBeQuiet();
    }

    private static async Task SignInAsync(IPage page, string token = WorkerProcess.Token)
    {
        await page.GetByLabel("Token").FillAsync(token);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
    }

    /// <summary>The first runs of this replica have ended, and the page shows them.</summary>
    private static async Task ShownAsync(IPage page)
    {
        await Expect(page.Locator("#nodes .trend")).ToBeVisibleAsync(Patient);
        await Expect(page.Locator("#nodes")).ToContainTextAsync("99 % within", new() { Timeout = 60_000 });
        await Expect(page.Locator("#keys table")).ToBeVisibleAsync(Patient);
    }

    private async Task<int> ResultsAsync(string job) =>
        (await bed.Worker.JsonAsync($"/api/jobs/{job}")).GetProperty("results").EnumerateArray().Count(result => !result.GetProperty("dry_run").GetBoolean());
}
