using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;

namespace Maintenance.WebHost.Admin;

/// <summary>
/// Tells the trail of whoever is signed in and asks for what only administrators may. The limit of these endpoints counts a user's requests before, so
/// nobody fills the trail faster than that.
/// </summary>
internal sealed class AdminRefusal : IAuthorizationMiddlewareResultHandler
{
    public const string NoRole = "not an administrator";
    public const string NoSecondFactor = "an administrator without a second factor";
    public const string NotKept = "not an administrator; the session of the sign-in page was ended at once";

    private readonly AuthorizationMiddlewareResultHandler answer = new();

    /// <inheritdoc/>
    public Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        // Here the session itself lacks the role: nothing behind the policy is reached.
        if (authorizeResult.Forbidden && context.GetEndpoint()?.Metadata.GetOrderedMetadata<IAuthorizeData>().Any(data => data.Policy == Policies.Admin) == true)
        {
            Record(context, NoRole);
        }

        return answer.HandleAsync(next, context, policy, authorizeResult);
    }

    /// <summary>Records the refusal of the request's session.</summary>
    public static void Record(HttpContext context, string why) => context.RequestServices.GetRequiredService<IAuditTrail>().Record(
        context, new AuditEvent { Action = AuditActions.AdminRefused, Succeeded = false, UserId = context.User.UserId(), Detail = why });
}
