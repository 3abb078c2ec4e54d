using Maintenance.WebHost.Admin.Pages;
using Maintenance.Storage.Outage;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.StepUp;
using Microsoft.AspNetCore.Authorization;

namespace Maintenance.WebHost.Admin;

/// <summary>The administrator's API.</summary>
internal static class AdminEndpoints
{
    public static IServiceCollection AddAdmin(this IServiceCollection services)
    {
        services.AddOptions<AdminOptions>().BindConfiguration(AdminOptions.Section);
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, AdminRefusal>();
        return services.AddScoped<AdminOperations>().AddScoped<AdminRole>().AddAdminPages();
    }

    public static IEndpointRouteBuilder MapAdmin(this IEndpointRouteBuilder auth)
    {
        var admin = auth.MapGroup("admin").RequireAuthorization(Policies.Admin).RequireRateLimiting(Limits.Admin).AddEndpointFilter(AdminRole.FilterAsync);
        admin.MapGet("users", ([AsParameters] AdminUserQuery query, AdminOperations operations, CancellationToken stop) => operations.FindUsersAsync(query, stop))
            .Validated<AdminUserQuery>()
            .Produces<AdminUserPage>()
            .WithSummary("Finds users by the begin of the address, or by id.");
        admin.MapGet("users/{id}", async Task<IResult> (string id, AdminOperations operations, CancellationToken stop) =>
                await operations.GetUserAsync(id, stop) is { } user ? TypedResults.Ok(user) : NoUser())
            .Produces<AdminUserDetails>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithSummary("A user with sessions, refresh tokens and sign-ins at providers.");
        admin.MapDelete("users/{id}/sessions", async Task<IResult> (string id, HttpContext context, AdminOperations operations, CancellationToken stop) =>
                await operations.EndSessionsAsync(AdminActor.Of(context), id, stop) is not { } ended ? NoUser()
                : ended.Outcome == RevocationOutcome.Done ? TypedResults.Ok(new AdminEnded(ended.EndedSessions))
                : TypedResults.Accepted((string?)null, new AdminEnded(ended.EndedSessions)))
            .Produces<AdminEnded>()
            .Produces<AdminEnded>(StatusCodes.Status202Accepted)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .RequireRecentAuthentication()
            .WithSummary("Ends every session of a user.");
        Changes(admin.MapDelete("users/{id}/sessions/{session}", async (string id, string session, HttpContext context, AdminOperations operations, CancellationToken stop) =>
            Answer(await operations.EndSessionAsync(AdminActor.Of(context), id, session, stop))), "Ends one session of a user.");
        Changes(admin.MapDelete("users/{id}/tokens/{token}", async (string id, string token, HttpContext context, AdminOperations operations, CancellationToken stop) =>
            Answer(await operations.RevokeTokenAsync(AdminActor.Of(context), id, token, stop))), "Revokes a user's refresh token.");
        Changes(admin.MapPost("users/{id}/unlock", async (string id, HttpContext context, AdminOperations operations, CancellationToken stop) =>
            Answer(await operations.UnlockAsync(AdminActor.Of(context), id, stop))), "Forgets a user's failed log-ins and wrong codes.");
        Changes(admin.MapPost("users/{id}/disable", async (string id, HttpContext context, AdminOperations operations, CancellationToken stop) =>
            Answer(await operations.DisableAsync(AdminActor.Of(context), id, stop))), "Shuts an account; its sessions end at once.");
        Changes(admin.MapPost("users/{id}/enable", async (string id, HttpContext context, AdminOperations operations) =>
            Answer(await operations.EnableAsync(AdminActor.Of(context), id))), "Opens an account again.");
        Changes(admin.MapPut("users/{id}/admin", async (string id, HttpContext context, AdminOperations operations, CancellationToken stop) =>
            Answer(await operations.SetAdminAsync(AdminActor.Of(context), id, admin: true, stop))), "Makes a user an administrator; its sessions end.");
        Changes(admin.MapDelete("users/{id}/admin", async (string id, HttpContext context, AdminOperations operations, CancellationToken stop) =>
            Answer(await operations.SetAdminAsync(AdminActor.Of(context), id, admin: false, stop))), "Takes the administrator's role; the user's sessions end.");
        admin.MapGet("audit", ([AsParameters] AdminAuditQuery query, AdminOperations operations, CancellationToken stop) => operations.AuditAsync(query, stop))
            .Validated<AdminAuditQuery>()
            .Produces<AdminAuditPage>()
            .WithSummary("The audit trail, newest first.");
        return auth;
    }

    private static RouteHandlerBuilder Changes(RouteHandlerBuilder builder, string summary) => builder
        .Produces(StatusCodes.Status204NoContent)
        .Produces<Accepted>(StatusCodes.Status202Accepted)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status409Conflict)
        .RequireRecentAuthentication()
        .WithSummary(summary);

    private static IResult Answer(AdminOutcome outcome) => outcome switch
    {
        AdminOutcome.Done => TypedResults.NoContent(),
        AdminOutcome.Journalled => TypedResults.Accepted((string?)null, Accepted.Journalled),
        AdminOutcome.NotFound => Problems.NotFound("There is no such user, session or token."),
        AdminOutcome.Unverified => Problems.Of(StatusCodes.Status409Conflict, "email_not_verified", "Nobody has proved that the account is the address's owner's (verified while signed in, or by a reset), so nobody knows who would get the role."),
        AdminOutcome.OneSelf => Problems.Of(StatusCodes.Status409Conflict, "own_account", "Nobody can do this to the own account; ask another administrator."),
        _ => Problems.Of(StatusCodes.Status409Conflict, "conflict", "The account was changed at the same time. Try again."),
    };

    private static Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult NoUser() => Problems.NotFound("There is no such user.");
}
