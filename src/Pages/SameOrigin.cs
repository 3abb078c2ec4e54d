using Microsoft.AspNetCore.Http;

namespace Maintenance.Pages;

/// <summary>Whether a form was sent from one of our own pages.</summary>
public static class SameOrigin
{
    /// <summary>
    /// By what every current browser says of itself: <c>Sec-Fetch-Site</c> where the connection is trusted, <c>Origin</c> otherwise. A program that
    /// sends neither is no browser that somebody could mislead.
    /// </summary>
    public static bool Sent(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0)
        {
            return site is "same-origin" or "none";
        }

        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && HostString.FromUriComponent(uri) == Host(request, uri));
    }

    // A browser leaves the scheme's own port out, a proxy may not.
    private static HostString Host(HttpRequest request, Uri origin) =>
        request.Host.Port is { } port && origin.IsDefaultPort && port == origin.Port ? new HostString(request.Host.Host) : request.Host;
}
