using Microsoft.Playwright;

namespace Maintenance.Pages.BrowserTests.Browsing;

/// <summary>
/// The system's Chromium, one for all tests. It looks for no update and asks nobody anything. Best its headless shell: the same engine without a
/// browser's windows, which Playwright takes too, at half of the processor's time.
/// </summary>
public sealed class Chromium : IAsyncLifetime
{
    // A busy machine must not fail a test of something else.
    private const float PatienceMilliseconds = 60_000;

    private static readonly string[] Programs = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private IPlaywright? playwright;
    private IBrowser? browser;

    public async Task InitializeAsync()
    {
        Assertions.SetDefaultExpectTimeout(PatienceMilliseconds);
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Programs.FirstOrDefault(File.Exists) ?? throw new FileNotFoundException("chromium-headless-shell is not installed; './dev test' installs what tests need."),
            Timeout = 3 * PatienceMilliseconds,
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            ],
        });
    }

    /// <summary>Opens a window of its own: no cookie of another one.</summary>
    public async Task<Window> OpenAsync(Uri address, View view, bool javaScript = true)
    {
        var context = await browser!.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = address.AbsoluteUri,
            ViewportSize = new ViewportSize { Width = view.Width, Height = view.Height },
            ColorScheme = view.Scheme,
            HasTouch = view.Width < 500,
            DeviceScaleFactor = 1,
            JavaScriptEnabled = javaScript,
            ReducedMotion = ReducedMotion.Reduce,
        });
        context.SetDefaultTimeout(PatienceMilliseconds);
        context.SetDefaultNavigationTimeout(PatienceMilliseconds);
        return new Window(context, await context.NewPageAsync(), address, view);
    }

    public async Task DisposeAsync()
    {
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }

        playwright?.Dispose();
    }
}

/// <summary>Tests that share the browser, one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class BrowserCollection : ICollectionFixture<Chromium>
{
    public const string Name = "browser";
}
