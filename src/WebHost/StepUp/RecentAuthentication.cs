using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.StepUp;

/// <summary>How recently somebody must have proved who it is for what matters most. Bound from <c>StepUp</c>.</summary>
internal sealed class StepUpOptions
{
    public const string Section = "StepUp";

    /// <summary>Longest time since. 1 min to 12 h; default 10 min.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromMinutes(10);
}

internal sealed class StepUpOptionsValidator : IValidateOptions<StepUpOptions>
{
    public ValidateOptionsResult Validate(string? name, StepUpOptions options)
    {
        var failures = new SettingFailures(StepUpOptions.Section);
        failures.Check(options.MaxAge >= TimeSpan.FromMinutes(1) && options.MaxAge <= TimeSpan.FromHours(12), "MaxAge", $"is {options.MaxAge}; expected 1 minute to 12 hours");
        return failures.Result;
    }
}

/// <summary>Marks an endpoint that wants a recent proof.</summary>
internal sealed class RecentAuthenticationMetadata
{
    public static readonly RecentAuthenticationMetadata Instance = new();
}

/// <summary>Refuses a session whose owner has not proved who it is for a while: a stolen session shall not change what its owner signs in with.</summary>
internal static class RecentAuthentication
{
    public const string Code = "reauthentication_required";

    public static RouteHandlerBuilder RequireRecentAuthentication(this RouteHandlerBuilder builder) => builder
        .WithMetadata(RecentAuthenticationMetadata.Instance)
        .AddEndpointFilter(async (invocation, next) =>
        {
            var context = invocation.HttpContext;
            var services = context.RequestServices;
            var options = services.GetRequiredService<IOptionsMonitor<StepUpOptions>>().CurrentValue;
            return await services.GetRequiredService<RecentProof>().IsRecentAsync(context, context.RequestAborted)
                ? await next(invocation)
                : Problems.Of(
                    StatusCodes.Status403Forbidden,
                    Code,
                    "Prove again who you are: POST /api/auth/reauthenticate with the password (and a code, if a second factor is on), or sign in again.",
                    new Dictionary<string, object?>(StringComparer.Ordinal)
                    {
                        ["reauthenticate"] = "/api/auth/reauthenticate",
                        ["maxAgeSeconds"] = (long)options.MaxAge.TotalSeconds,
                    });
        });

    /// <summary>Whether the owner was there not long ago. A session that a refresh token made began without its owner; only a proof since then counts.</summary>
    internal static bool IsRecent(Session session, DateTimeOffset now, TimeSpan maxAge) =>
        now - session.AuthenticatedAt <= maxAge
        && (session.AuthenticatedAt > session.CreatedAt || !session.Claims.ContainsKey(SessionIssuer.RefreshedClaim));
}
