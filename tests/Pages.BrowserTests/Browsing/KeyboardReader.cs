using System.Globalization;
using Microsoft.Playwright;

namespace Maintenance.Pages.BrowserTests.Browsing;

/// <summary>Somebody who has a keyboard only: goes by Tab, and notes what a page must not do to them.</summary>
internal sealed class KeyboardReader(IPage page)
{
    // More than any page has.
    private const int MostStops = 300;

    // What can be reached, in the order of the document.
    private const string Places = """
        [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")].filter(each => each.tabIndex >= 0 && each.checkVisibility())
        """;

    /// <summary>Tab stops at everything that can be used, once each and in the order of the document, is seen where it stops, and comes round: nothing is a trap.</summary>
    public async Task ReadsAllAsync()
    {
        // The end of a page may come after what somebody waited for.
        await page.WaitForLoadStateAsync();
        var places = await page.EvaluateAsync<int>($"() => {Places}.length");
        places.ShouldBeGreaterThan(3);
        List<int> stops = [];
        for (var pressed = 0; pressed <= MostStops; pressed++)
        {
            await page.Keyboard.PressAsync("Tab");
            // Where it is, what it is, and whether somebody sees that.
            var stop = (await page.EvaluateAsync<string>($$"""
                () => {
                  const here = document.activeElement;
                  if (!here || here === document.body) return '';
                  const box = here.getBoundingClientRect();
                  const style = getComputedStyle(here);
                  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
                  const points = [[box.left + 3, box.top + 3], [box.left + box.width / 2, box.top + box.height / 2], [box.right - 3, box.bottom - 3]];
                  const shown = points.some(([x, y]) => { const top = document.elementFromPoint(x, y); return top && (here.contains(top) || top.contains(here) && top !== document.body && top !== document.documentElement); });
                  return [{{Places}}.indexOf(here), ring, shown, here.outerHTML.slice(0, 120)].join('\n');
                }
                """)).Split('\n', 4);
            if (stop.Length < 4)
            {
                // The browser's own bar, between the last and the first.
                continue;
            }

            var place = int.Parse(stop[0], CultureInfo.InvariantCulture);
            if (stops.Count > 0 && place == stops[0])
            {
                var first = stops.IndexOf(stops.Min());
                stops[first..].Concat(stops[..first]).ShouldBe(Enumerable.Range(0, places), $"{page.Url}: in the order of the document");
                return;
            }

            place.ShouldBeGreaterThanOrEqualTo(0, $"{page.Url}: {stop[3]}");
            stop[1].ShouldBe("true", $"{page.Url}: no ring around {stop[3]}");
            stop[2].ShouldBe("true", $"{page.Url}: covered or outside of the window: {stop[3]}");
            stops.Add(place);
        }

        throw new InvalidOperationException($"{page.Url}: after {MostStops} times Tab the first place has not come again; the last were {string.Join(", ", stops.TakeLast(5))}.");
    }

    /// <summary>Tab until it is reached.</summary>
    public Task GoToAsync(ILocator target) => GoAsync(target, "Tab");

    /// <summary>Shift and Tab until it is reached.</summary>
    public Task GoBackToAsync(ILocator target) => GoAsync(target, "Shift+Tab");

    /// <summary>Presses a key where the focus is.</summary>
    public Task PressAsync(string key) => page.Keyboard.PressAsync(key);

    /// <summary>Types where the focus is.</summary>
    public Task TypeAsync(string text) => page.Keyboard.TypeAsync(text);

    private async Task GoAsync(ILocator target, string key)
    {
        for (var pressed = 0; pressed <= MostStops; pressed++)
        {
            if (await target.EvaluateAsync<bool>("each => each === document.activeElement"))
            {
                return;
            }

            await page.Keyboard.PressAsync(key);
        }

        throw new InvalidOperationException($"{page.Url}: {target} is not reached by {key}.");
    }
}
