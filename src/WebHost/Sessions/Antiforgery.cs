using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.RateLimiting.AspNetCore;
using Maintenance.Storage.Redis;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;
using StackExchange.Redis;

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

    internal const string NoToken = "a call with the cookie and no antiforgery token";
    internal const string WrongToken = "a call with the cookie and a wrong antiforgery token";

    public static TBuilder IgnoresCookie<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(IgnoresCookieMetadata.Instance);

    /// <summary>Refuses such calls without it. After routing, before authentication. Where cookies are off nobody is authenticated by one.</summary>
    public static IApplicationBuilder UseCookieAntiforgery(this IApplicationBuilder app) => app.Use((context, next) =>
        IsAllowed(context) || !context.TakesCookies() ? next(context) : RefuseAsync(context));

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

    private static async Task RefuseAsync(HttpContext context)
    {
        await RecordAsync(context);
        await Problems.Of(
            StatusCodes.Status403Forbidden,
            "antiforgery",
            $"This call is authenticated by a cookie, so it needs the header {Header} with the value of the cookie {SessionCookieOptions.Antiforgery}.").ExecuteAsync(context);
    }

    // Nobody has looked at the session, and nobody does for this: the row is of nobody. No other limit counts such a call, so a flood of them has one of its
    // own, which only the record needs: waiting makes the call no better, so its answer stays the same.
    private static async Task RecordAsync(HttpContext context)
    {
        var limits = context.RequestServices.GetRequiredService<IRateLimitStore>();
        var request = new RateLimitRequest(Limits.Antiforgery, RateLimitPartitions.AddressSubject(context.Connection.RemoteIpAddress));
        try
        {
            // Whoever hangs up is recorded too.
            if ((await limits.AcquireAsync(request, CancellationToken.None)).IsAllowed)
            {
                context.RequestServices.GetRequiredService<IAuditTrail>().Record(context, new AuditEvent
                {
                    Action = AuditActions.AntiforgeryRefused,
                    Succeeded = false,
                    Detail = context.Request.Headers[Header].ToString().Length == 0 ? NoToken : WrongToken,
                });
            }
        }
        catch (Exception exception) when (exception is StorageUnavailableException or RedisServerException)
        {
            // Without the limit there is no knowing whether this is a flood.
        }
    }
}
