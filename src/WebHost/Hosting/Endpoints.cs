using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Admin;
using Maintenance.WebHost.Admin.Pages;
using Maintenance.WebHost.ExternalSignIn;
using Maintenance.WebHost.Health;
using Maintenance.WebHost.Profile;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.SignIn;
using Maintenance.WebHost.StepUp;
using Maintenance.WebHost.TwoFactor;

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
        auth.MapStepUp();
        auth.MapTwoFactor();
        auth.MapExternalSignIn();
        auth.MapProfile();
        auth.MapSessions();
        auth.MapAdmin();

        app.MapOpenApi("/openapi/{documentName}.json").RequireRateLimiting(Limits.Public);
        app.MapAdminPages();
        app.MapAuthHealth();
        app.MapManagement();
    }
}
