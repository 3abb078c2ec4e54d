using Microsoft.Playwright;

namespace Maintenance.Pages.BrowserTests.Browsing;

/// <summary>A screen that somebody looks at.</summary>
public sealed record View(string Name, int Width, int Height, ColorScheme Scheme)
{
    public static View Desktop { get; } = new("desktop-light", 1280, 900, ColorScheme.Light);

    public static View Phone { get; } = new("phone-light", 390, 844, ColorScheme.Light);

    public static IReadOnlyList<View> All { get; } =
    [
        Desktop, Desktop with { Name = "desktop-dark", Scheme = ColorScheme.Dark },
        Phone, Phone with { Name = "phone-dark", Scheme = ColorScheme.Dark },
    ];

    public static View Named(string name) => All.Single(view => view.Name == name);
}
