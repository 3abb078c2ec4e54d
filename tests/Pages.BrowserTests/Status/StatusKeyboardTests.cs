using Maintenance.Pages.BrowserTests.Browsing;
using Maintenance.Testing;
using Maintenance.Worker.RedisTests;
using Maintenance.Worker.Scheduling;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Maintenance.Pages.BrowserTests.Status;

/// <summary>Somebody on call without a mouse.</summary>
[Collection(BrowserCollection.Name)]
public sealed class StatusKeyboardTests(Chromium chromium)
{
    [Fact]
    public async Task Page_ByKeyboardOnly_SignsIn_BeginsARun_AndReadsItsResults()
    {
        await using var redis = await RedisServer.StartAsync();
        // Only what is begun here runs, so that nothing moves meanwhile.
        await using var worker = await WorkerProcess.StartAsync(
            redis.Url, [("Results__RefreshInterval", "00:00:01"), .. Disabled("SessionCleanup", "IndexReconciliation", "RedisHealth", "MemoryAlerts", "KeyspaceStats")]);
        await using var window = await chromium.OpenAsync(worker.Http.BaseAddress!, View.Desktop);
        var (page, keyboard) = (window.Page, new KeyboardReader(window.Page));
        await page.GotoAsync("");
        await keyboard.PressAsync("Tab");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Skip to the content" })).ToBeFocusedAsync();
        await keyboard.GoToAsync(page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }));
        await keyboard.PressAsync("Enter");
        await Expect(page.GetByLabel("Token")).ToBeFocusedAsync();
        await keyboard.ReadsAllAsync();
        await keyboard.GoBackToAsync(page.GetByLabel("Token"));
        await keyboard.TypeAsync(WorkerProcess.Token);
        await keyboard.PressAsync("Enter");

        await keyboard.GoToAsync(page.GetByRole(AriaRole.Button, new() { Name = "Run now: session-cleanup" }));
        await keyboard.PressAsync("Space");
        await Expect(page.Locator("#job-session-cleanup").GetByRole(AriaRole.Status)).ToContainTextAsync("The run has begun");
        var runs = page.Locator($"#runs-{JobNames.SessionCleanup}");
        await Expect(runs.Locator("summary")).ToBeVisibleAsync();
        await keyboard.ReadsAllAsync();
        await keyboard.GoToAsync(runs.Locator("summary"));
        await keyboard.PressAsync("Enter");
        await Expect(runs.Locator("tbody tr")).ToHaveCountAsync(1);
        await Expect(runs).ToContainTextAsync("Success");
        await keyboard.PressAsync("Tab");
        await Expect(runs.GetByRole(AriaRole.Region)).ToBeFocusedAsync();

        // What changes meanwhile takes the focus away from nothing.
        await RunAsync(worker);
        await Expect(runs.Locator("tbody tr")).ToHaveCountAsync(2);
        await Expect(runs.GetByRole(AriaRole.Region)).ToBeFocusedAsync();
        await keyboard.GoBackToAsync(runs.Locator("summary"));
        await RunAsync(worker);
        await Expect(runs.Locator("tbody tr")).ToHaveCountAsync(3);
        await Expect(runs.Locator("summary")).ToBeFocusedAsync();
        await keyboard.GoToAsync(page.GetByRole(AriaRole.Link, new() { Name = "Health" }));
        await RunAsync(worker);
        await Expect(runs.Locator("tbody tr")).ToHaveCountAsync(4);
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Health" })).ToBeFocusedAsync();

        await keyboard.GoBackToAsync(page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }));
        await keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Sign in" })).ToBeVisibleAsync();
        window.ShouldBeQuiet();
    }

    private static Task RunAsync(WorkerProcess worker) => Eventually.TrueAsync(
        async () => (await worker.SendAsync(HttpMethod.Post, $"/api/jobs/{JobNames.SessionCleanup}/run")).Status == 202, TimeSpan.FromSeconds(60), "the run of before may go on");

    private static IEnumerable<(string Name, string Value)> Disabled(params string[] jobs) => jobs.Select(job => ($"Jobs__{job}__Enabled", "false"));
}
