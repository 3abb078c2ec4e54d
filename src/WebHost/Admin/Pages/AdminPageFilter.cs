using Maintenance.Pages;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;

namespace Maintenance.WebHost.Admin.Pages;

/// <summary>Lets an administrator pass, signed in by the cookie; a form also has to be of our own page. Everybody else is shown the way to sign in.</summary>
internal static class AdminPageFilter
{
    public static async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        if (context.User.Identity?.IsAuthenticated != true || context.Request.SessionToken() is not { } token)
        {
            return await AdminPageProblems.IsUncheckedAsync(context) ? AdminPageProblems.Unavailable(context) : new SeeOther(AdminPageEndpoints.SignIn);
        }

        if (!context.User.HasClaim(SessionIssuer.RoleClaim, Roles.Admin))
        {
            return AdminPageEndpoints.Page<MessagePage>(
                context,
                StatusCodes.Status403Forbidden,
                ("Form", null),
                ("Title", "Not for this account"),
                ("Text", "This session is not an administrator's. Sign in with an account that has the role."));
        }

        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            var form = await PageForm.ReadAsync(context);
            if (!SameOrigin.Sent(context.Request) || !SessionCookies.IsAntiforgeryTokenOf(token, form?[PageForm.TokenField]))
            {
                var id = context.GetRouteValue("id") as string;
                return new SeeOther(id is null ? AdminPageEndpoints.Start : $"/admin/users/{Uri.EscapeDataString(id)}?notice={Notices.Foreign}");
            }
        }

        return await next(invocation);
    }
}
