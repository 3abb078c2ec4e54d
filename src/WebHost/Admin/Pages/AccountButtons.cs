using Maintenance.Pages;

namespace Maintenance.WebHost.Admin.Pages;

/// <summary>The buttons that shut, open and unlock an account; what the API does under the same names.</summary>
internal static class AccountButtons
{
    public static void MapAccountButtons(this IEndpointRouteBuilder admin)
    {
        admin.MapPost("users/{id}/disable", async (string id, HttpContext context, AdminOperations operations, CancellationToken stop) =>
            Answer(id, await operations.DisableAsync(AdminActor.Of(context), id, stop), Notices.Disabled));
        admin.MapPost("users/{id}/enable", async (string id, HttpContext context, AdminOperations operations) =>
            Answer(id, await operations.EnableAsync(AdminActor.Of(context), id), Notices.Enabled));
        admin.MapPost("users/{id}/unlock", async (string id, HttpContext context, AdminOperations operations, CancellationToken stop) =>
            Answer(id, await operations.UnlockAsync(AdminActor.Of(context), id, stop), Notices.Unlocked));
    }

    private static SeeOther Answer(string id, AdminOutcome outcome, string done) => AdminPageEndpoints.Back(id, outcome switch
    {
        AdminOutcome.NotFound => Notices.Gone,
        AdminOutcome.Journalled => Notices.Journalled,
        AdminOutcome.Conflict => Notices.Conflict,
        AdminOutcome.OneSelf => Notices.OneSelf,
        _ => done,
    });
}
