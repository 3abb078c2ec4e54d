using Maintenance.Worker.Hosting;

namespace Maintenance.Worker.Status;

/// <summary>Everything on the management port but <c>/metrics</c>.</summary>
internal static class ManagementEndpoints
{
    public static void MapManagement(this WebApplication app)
    {
        app.MapHealth();
        app.MapJobs();
        app.MapGet("/", () => TypedResults.Redirect("/health"));
    }

    /// <summary>With <c>Management:RequireToken</c>, asks for the token everywhere but at metrics and probes.</summary>
    public static void UseManagementToken(this WebApplication app) => app.Use(async (context, next) =>
    {
        var token = context.RequestServices.GetRequiredService<ManagementToken>();
        if (!token.IsRequiredEverywhere || IsOpen(context.Request.Path) || token.Matches(context.Request))
        {
            await next(context);
            return;
        }

        await TokenFilter.Unauthorized(context).ExecuteAsync(context);
    });

    private static bool IsOpen(PathString path) =>
        path.Equals("/metrics", StringComparison.OrdinalIgnoreCase) || path.StartsWithSegments("/healthz", StringComparison.OrdinalIgnoreCase);
}
