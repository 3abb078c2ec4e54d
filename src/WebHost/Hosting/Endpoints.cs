using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Health;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.SignIn;

namespace Maintenance.WebHost.Hosting;

/// <summary>Every endpoint of the host: one line a feature.</summary>
internal static class Endpoints
{
    public static void MapFeatures(this WebApplication app)
    {
        var auth = app.MapGroup("/api/auth");
        auth.MapAccounts();
        auth.MapSignIn();
        auth.MapVerify();

        app.MapOpenApi("/openapi/{documentName}.json").RequireRateLimiting(Limits.Public);
        app.MapAuthHealth();
        app.MapManagement();
    }
}
