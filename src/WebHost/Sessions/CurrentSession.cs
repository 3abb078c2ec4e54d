using System.Security.Claims;
using Maintenance.Storage.Sessions;
using Microsoft.Net.Http.Headers;

namespace Maintenance.WebHost.Sessions;

/// <summary>What the request's session says.</summary>
internal static class CurrentSession
{
    /// <summary>Id of the user.</summary>
    /// <exception cref="InvalidOperationException">Nobody is signed in: the endpoint lacks <c>RequireAuthorization</c>.</exception>
    public static string UserId(this ClaimsPrincipal principal) =>
        principal.FindFirstValue(ClaimTypes.NameIdentifier) ?? throw new InvalidOperationException("Nobody is signed in.");

    /// <summary>Id of the session.</summary>
    public static SessionId SessionId(this ClaimsPrincipal principal) =>
        Storage.Sessions.SessionId.Parse(principal.FindFirstValue("sid") ?? throw new InvalidOperationException("Nobody is signed in."));

    /// <summary>The token that the request was sent with, as the bearer handler reads it; null: none.</summary>
    public static string? SessionToken(this HttpRequest request)
    {
        const string Prefix = "Bearer ";
        var header = request.Headers[HeaderNames.Authorization];
        return header is [{ } value] && value.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
            ? value[Prefix.Length..].Trim()
            : request.Cookies.TryGetValue(SessionCookieOptions.Session, out var cookie) && cookie.Length > 0 ? cookie : null;
    }
}
