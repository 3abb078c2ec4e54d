using Maintenance.Worker.Hosting;
using Maintenance.Worker.Status.Page;

namespace Maintenance.Worker.Status;

/// <summary>Everything on the management port but <c>/metrics</c>.</summary>
internal static class ManagementEndpoints
{
    public static void MapManagement(this WebApplication app)
    {
        app.MapHealth();
        app.MapJobs();
        app.MapStatusPage();
    }

    /// <summary>With <c>Management:RequireToken</c>, asks for the token everywhere but at metrics and probes.</summary>
    public static void UseManagementToken(this WebApplication app) => app.Use(async (context, next) =>
    {
        var token = context.RequestServices.GetRequiredService<ManagementToken>();
        var answer = TokenAnswer.Right;
        if (!token.IsRequiredEverywhere || IsOpen(context.Request.Path) || MayLook(context) || (answer = token.Check(context)) == TokenAnswer.Right)
        {
            await next(context);
            return;
        }

        var refused = TokenFilter.Refuse(context, answer);
        await (StatusPageEndpoints.Door(context, token) ?? refused).ExecuteAsync(context);
    });

    // Who signed in to the page may read everything; what changes something asks for more than a cookie.
    private static bool MayLook(HttpContext context) =>
        (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
        && context.RequestServices.GetRequiredService<PageSession>().Read(context.Request) is not null;

    private static bool IsOpen(PathString path) =>
        path.Equals("/metrics", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/healthz", StringComparison.OrdinalIgnoreCase)
        || StatusPageEndpoints.AsksForItself(path);
}
