using Maintenance.Pages;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.StepUp;
using Maintenance.WebHost.Users;

namespace Maintenance.WebHost.Admin.Pages;

/// <summary>Lets an administrator pass, signed in by the cookie; a form also has to be of our own page. Everybody else is shown the way to sign in.</summary>
internal static class AdminPageFilter
{
    /// <summary>What the trail says of a form that another site has sent.</summary>
    public const string ForeignForm = "a form that is not of an administration page";

    public static async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        if (context.User.Identity?.IsAuthenticated != true || context.Request.SessionToken() is not { } token)
        {
            return await AdminPageProblems.IsUncheckedAsync(context) ? AdminPageProblems.Unavailable(context) : new SeeOther(AdminPageEndpoints.SignIn);
        }

        if (!context.User.HasClaim(SessionIssuer.RoleClaim, Roles.Admin))
        {
            return NotForThisAccount(context);
        }

        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            var form = await PageForm.ReadAsync(context);
            if (!SameOrigin.Sent(context.Request) || !SessionCookies.IsAntiforgeryTokenOf(token, form?[PageForm.TokenField]))
            {
                // The limit of these pages has counted the request.
                context.RequestServices.GetRequiredService<IAuditTrail>().Record(
                    context, new AuditEvent { Action = AuditActions.AntiforgeryRefused, Succeeded = false, UserId = context.User.UserId(), Detail = ForeignForm });
                var id = context.GetRouteValue("id") as string;
                return new SeeOther(id is null ? AdminPageEndpoints.Start : $"/admin/users/{Uri.EscapeDataString(id)}?notice={Notices.Foreign}");
            }
        }

        var services = context.RequestServices;
        switch (await services.GetRequiredService<AdminRole>().StandingAsync(context, context.RequestAborted))
        {
            case AdminStanding.None:
                return NotForThisAccount(context);
            case AdminStanding.NeedsSecondFactor when context.GetEndpoint()?.Metadata.GetMetadata<WithoutSecondFactorMetadata>() is null:
                return new SeeOther(AdminSecondFactor.Path);
        }

        return context.GetEndpoint()?.Metadata.GetMetadata<RecentAuthenticationMetadata>() is not null
            && !await services.GetRequiredService<RecentProof>().IsRecentAsync(context, context.RequestAborted)
                ? AdminProof.Ask(context.GetRouteValue("id") as string)
                : await next(invocation);
    }

    private static IResult NotForThisAccount(HttpContext context)
    {
        AdminRefusal.Record(context, AdminRefusal.NoRole);
        return AdminPageEndpoints.Page<MessagePage>(
            context,
            StatusCodes.Status403Forbidden,
            ("Form", null),
            ("Title", "Not for this account"),
            ("Text", "This session is not an administrator's. Sign in with an account that has the role."));
    }
}

/// <summary>Marks a page that an administrator sees before the second factor that the role needs is on.</summary>
internal sealed class WithoutSecondFactorMetadata
{
    public static readonly WithoutSecondFactorMetadata Instance = new();
}
