using System.Collections.Concurrent;
using System.Net;
using Deque.AxeCore.Commons;
using Maintenance.Testing;
using Microsoft.Playwright;

namespace Maintenance.Pages.BrowserTests.Browsing;

/// <summary>A window of the browser that notes what must not happen: an error, a refused style or script, a request to somebody else.</summary>
public sealed class Window : IAsyncDisposable
{
    private static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    private readonly IBrowserContext context;
    private readonly View view;
    private readonly ConcurrentQueue<string> problems = [];
    private HttpStatusCode expected = HttpStatusCode.Unauthorized;

    internal Window(IBrowserContext context, IPage page, Uri address, View view)
    {
        this.context = context;
        this.view = view;
        Page = page;
        page.PageError += (_, error) => problems.Enqueue($"error: {error}");
        page.Console += (_, message) =>
        {
            // A status that a page is meant to have is no fault of the page.
            if (message.Type is "error" or "warning" && !message.Text.Contains($"the server responded with a status of {(int)expected}", StringComparison.Ordinal))
            {
                problems.Enqueue($"console {message.Type}: {message.Text}");
            }
        };
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(address.AbsoluteUri, StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
            {
                problems.Enqueue($"foreign request: {request.Url}");
            }
        };
    }

    public IPage Page { get; }

    public IBrowserContext Context => context;

    /// <summary>From now on pages may answer with this status, which the browser calls an error. Before: 401.</summary>
    public void Expects(HttpStatusCode status) => expected = status;

    /// <summary>Nothing went wrong so far.</summary>
    public void ShouldBeQuiet() => problems.ShouldBeEmpty();

    /// <summary>Axe finds nothing, nothing is wider than the screen, and nothing went wrong; keeps a picture.</summary>
    public async Task ShouldBeGoodAsync(string name)
    {
        // What a click led to may be there before its style is.
        await Page.WaitForLoadStateAsync();
        await PictureAsync(name);
        (await ViolationsAsync()).ShouldBeEmpty($"{name} {view.Name}");
        var overflow = await Page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        overflow.ShouldBe(0, $"{name} {view.Name} scrolls sideways");
        ShouldBeQuiet();
    }

    /// <summary>Keeps a picture of the whole page in <c>artifacts/screenshots</c>.</summary>
    public async Task PictureAsync(string name)
    {
        var folder = Path.Combine(BuiltProgram.RepositoryRoot, "artifacts", "screenshots");
        Directory.CreateDirectory(folder);
        // The head goes along with the reader; in a picture of the whole page it belongs to the top.
        await Page.EvaluateAsync("scrollTo(0, 0)");
        await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{name}-{view.Name}.png"), FullPage = true, Animations = ScreenshotAnimations.Disabled });
    }

    // In the page itself: axe's package for Playwright opens a page of its own for each result, which takes far longer than the rules. No page here has a frame.
    private async Task<string[]> ViolationsAsync()
    {
        (await Page.Locator("iframe, frame").CountAsync()).ShouldBe(0, "axe would have to run in each frame");
        await Page.EvaluateAsync(Axe);
        return await Page.EvaluateAsync<string[]>("""
            async () => (await axe.run(document, { resultTypes: ['violations'] })).violations.map(violation =>
              `${violation.id}: ${violation.help}: ` +
              violation.nodes.slice(0, 3).map(node => `${node.html} ${node.any.map(check => check.message).join('; ')}`).join(' | '))
            """);
    }

    public async ValueTask DisposeAsync() => await context.DisposeAsync();
}
