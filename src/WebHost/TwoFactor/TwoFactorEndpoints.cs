using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.StepUp;

namespace Maintenance.WebHost.TwoFactor;

/// <summary>Managing the second factor. <c>login/2fa</c> is with signing in.</summary>
internal static class TwoFactorEndpoints
{
    public static IServiceCollection AddTwoFactorManagement(this IServiceCollection services)
    {
        services.AddSettings<TwoFactorSettings, TwoFactorSettingsValidator>(TwoFactorSettings.Section);
        services.AddSingleton<AuthenticatorKeys>();
        services.AddScoped<AuthenticatorCheck>();
        return services.AddScoped<TwoFactorManagement>();
    }

    public static IEndpointRouteBuilder MapTwoFactor(this IEndpointRouteBuilder auth)
    {
        var factor = auth.MapGroup("2fa").RequireAuthorization().RequireRateLimiting(Limits.Sensitive);
        factor.MapGet("", (HttpContext context, TwoFactorManagement management, CancellationToken stop) => management.StateAsync(context, stop))
            .Produces<TwoFactorState>()
            .WithSummary("Whether the second factor is on, and how many recovery codes are left.");
        factor.MapPost("enrol", (HttpContext context, TwoFactorManagement management) => management.EnrolAsync(context))
            .RequireRecentAuthentication()
            .Produces<TwoFactorEnrolment>()
            .ProducesProblem(StatusCodes.Status409Conflict)
            .WithSummary("Makes a key for an authenticator app; it counts once it is confirmed.");
        factor.MapPost("confirm", (TwoFactorCodeRequest request, HttpContext context, TwoFactorManagement management, CancellationToken stop) => management.ConfirmAsync(request, context, stop))
            .Validated<TwoFactorCodeRequest>()
            .RequireRecentAuthentication()
            .Produces<NewRecoveryCodes>()
            .ProducesProblem(StatusCodes.Status409Conflict)
            .WithSummary("Turns the second factor on by a code of the new key; answers the recovery codes, once.");
        factor.MapPost("disable", (HttpContext context, TwoFactorManagement management, CancellationToken stop) => management.DisableAsync(context, stop))
            .RequireRecentAuthentication()
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .WithSummary("Turns the second factor off.");
        factor.MapPost("recovery-codes", (HttpContext context, TwoFactorManagement management, CancellationToken stop) => management.ReplaceCodesAsync(context, stop))
            .RequireRecentAuthentication()
            .Produces<NewRecoveryCodes>()
            .ProducesProblem(StatusCodes.Status409Conflict)
            .WithSummary("Makes new recovery codes; the old ones work no more.");
        return auth;
    }
}
