using System.Security.Claims;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Sessions;

/// <summary>What the request's session says.</summary>
internal static class CurrentSession
{
    private const string Prefix = "Bearer ";

    /// <summary>Id of the user.</summary>
    /// <exception cref="InvalidOperationException">Nobody is signed in: the endpoint lacks <c>RequireAuthorization</c>.</exception>
    public static string UserId(this ClaimsPrincipal principal) =>
        principal.FindFirstValue(ClaimTypes.NameIdentifier) ?? throw new InvalidOperationException("Nobody is signed in.");

    /// <summary>Id of the session.</summary>
    public static SessionId SessionId(this ClaimsPrincipal principal) =>
        Storage.Sessions.SessionId.Parse(principal.FindFirstValue("sid") ?? throw new InvalidOperationException("Nobody is signed in."));

    /// <summary>The token that the request was sent with, as the bearer handler reads it; null: none.</summary>
    public static string? SessionToken(this HttpRequest request) =>
        request.IsAuthenticatedByHeader() ? request.Headers.Authorization[0]![Prefix.Length..].Trim()
        : request.Cookies.TryGetValue(SessionCookieOptions.Session, out var cookie) && cookie.Length > 0 && request.HttpContext.TakesCookies() ? cookie
        : null;

    /// <summary>Whether the bearer handler takes a token from the cookie; as it is read at the start.</summary>
    public static bool TakesCookies(this HttpContext context) => context.RequestServices.GetRequiredService<IOptions<SessionCookieOptions>>().Value.Enabled;

    /// <summary>Whether the bearer handler takes the token from the header; any other header leaves it to the cookie.</summary>
    public static bool IsAuthenticatedByHeader(this HttpRequest request) =>
        request.Headers.Authorization is [{ } value] && value.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);
}
