using Maintenance.WebHost.Hosting;

namespace Maintenance.WebHost.Sessions;

/// <summary>Marks an endpoint whose answer never depends on the session's cookie, so that it needs no antiforgery token.</summary>
internal sealed class IgnoresCookieMetadata
{
    public static readonly IgnoresCookieMetadata Instance = new();
}

/// <summary>A call that changes something and is authenticated by the cookie must carry the antiforgery token in a header: another site can send the cookie, not the header.</summary>
internal static class Antiforgery
{
    public const string Header = "X-Antiforgery-Token";

    public static TBuilder IgnoresCookie<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(IgnoresCookieMetadata.Instance);

    /// <summary>Refuses such calls without it. After routing, before authentication.</summary>
    public static IApplicationBuilder UseCookieAntiforgery(this IApplicationBuilder app) => app.Use((context, next) =>
        IsAllowed(context)
            ? next(context)
            : Problems.Of(
                StatusCodes.Status403Forbidden,
                "antiforgery",
                $"This call is authenticated by a cookie, so it needs the header {Header} with the value of the cookie {SessionCookieOptions.Antiforgery}.").ExecuteAsync(context));

    internal static bool IsAllowed(HttpContext context)
    {
        var request = context.Request;
        return HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method)
            || request.IsAuthenticatedByHeader()
            || !request.Cookies.TryGetValue(SessionCookieOptions.Session, out var session)
            || context.GetEndpoint() is not { } endpoint
            || endpoint.Metadata.GetMetadata<IgnoresCookieMetadata>() is not null
            || SessionCookies.IsAntiforgeryTokenOf(session, request.Headers[Header]);
    }
}
