using System.Security.Claims;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;

namespace Maintenance.WebHost.SignIn;

/// <summary>Says whose session a token is. Made for gateways: nginx's <c>auth_request</c> passes the headers on.</summary>
internal static class VerifyEndpoint
{
    public const string UserHeader = "X-Auth-User-Id";
    public const string SessionHeader = "X-Auth-Session-Id";
    public const string RolesHeader = "X-Auth-Roles";

    public static IEndpointRouteBuilder MapVerify(this IEndpointRouteBuilder auth)
    {
        auth.MapMethods("verify", [HttpMethods.Get, HttpMethods.Head, HttpMethods.Post], Answer)
            .IgnoresCookie()
            .RequireAuthorization()
            .RequireRateLimiting(Limits.Verify)
            .WithSummary("200 with the user and the session in headers, or 401.");
        return auth;
    }

    private static Verified Answer(HttpContext context)
    {
        var (user, session) = (context.User.UserId(), context.User.SessionId().Value);
        var roles = context.User.FindAll(SessionIssuer.RoleClaim).Select(claim => claim.Value).ToArray();
        var headers = context.Response.Headers;
        headers[UserHeader] = user;
        headers[SessionHeader] = session;
        headers[RolesHeader] = string.Join(',', roles);
        return new Verified(true, user, session, roles);
    }
}

/// <summary>A valid session.</summary>
internal sealed record Verified(bool Valid, string UserId, string SessionId, IReadOnlyList<string> Roles);
