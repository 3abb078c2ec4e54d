namespace Maintenance.Pages.BrowserTests.Browsing;

/// <summary>What looks at the pages sees what is wrong with one.</summary>
[Collection(BrowserCollection.Name)]
public sealed class WindowTests(Chromium chromium)
{
    private const string Good = "<!doctype html><html lang='en'><head><title>t</title></head><body><main><h1>t</h1>";

    [Theory]
    [InlineData("", null)]
    [InlineData("<input>", "label: ")]
    [InlineData("<p style='color:#999;background:#fff'>pale</p>", "color-contrast: ")]
    [InlineData("<h4>too deep</h4>", "heading-order: ")]
    [InlineData("<div style='width:5000px'>wide</div>", "scrolls sideways")]
    [InlineData("<img alt='of another site' src='http://127.0.0.1:9/x.png'>", "foreign request")]
    [InlineData("<iframe title='t' srcdoc='x'></iframe>", "axe would have to run in each frame")]
    public async Task Fault_IsSeen(string planted, string? seen)
    {
        await using var window = await chromium.OpenAsync(new Uri("http://127.0.0.1:1/"), View.Phone);
        await window.Page.SetContentAsync(Good + planted);

        var found = await Record.ExceptionAsync(() => window.ShouldBeGoodAsync("planted"));

        if (seen is null)
        {
            found.ShouldBeNull();
        }
        else
        {
            found.ShouldBeOfType<ShouldAssertException>().Message.ShouldContain(seen);
        }
    }
}
