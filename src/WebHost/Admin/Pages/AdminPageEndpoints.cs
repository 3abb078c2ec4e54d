using Maintenance.Pages;
using Maintenance.Storage.Outage;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.StepUp;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Admin.Pages;

/// <summary>The administrator's pages: plain forms over what the API does.</summary>
internal static class AdminPageEndpoints
{
    public const string Start = "/admin";
    public const string SignIn = "/admin/sign-in";

    private const int UsersOnAPage = 50;
    private const int EventsOnAPage = 100;
    private const int EventsOfAUser = 20;
    private const int LongestSearch = 254;

    public static IServiceCollection AddAdminPages(this IServiceCollection services)
    {
        services.AddOptions<AdminPageOptions>().BindConfiguration(AdminPageOptions.Section);
        return services.AddScoped<AdminPageSignIn>().AddScoped<AdminProof>().AddScoped<AdminSecondFactor>();
    }

    public static void MapAdminPages(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptions<AdminPageOptions>>().Value;
        if (!options.Enabled || !app.Services.GetRequiredService<IOptions<SessionCookieOptions>>().Value.Enabled)
        {
            return;
        }

        // The pages check by themselves that a form is their own: a browser without a script can set no header.
        var pages = app.MapGroup("").OnManagementPort(options.OnApiPort).IgnoresCookie().ExcludeFromDescription().WithMetadata(AdminPageMetadata.Instance);
        pages.MapPageAssets().RequireRateLimiting(Limits.Page);
        pages.MapGet(SignIn, (HttpContext context) => AdminPageSignIn.Form(context)).RequireRateLimiting(Limits.Page);
        pages.MapPost(SignIn, (HttpContext context, AdminPageSignIn signIn, CancellationToken stop) => signIn.PasswordAsync(context, stop)).RequireRateLimiting(Limits.AdminLogin);
        pages.MapPost("/admin/sign-in/code", (HttpContext context, AdminPageSignIn signIn, CancellationToken stop) => signIn.CodeAsync(context, stop)).RequireRateLimiting(Limits.AdminLogin);

        var admin = pages.MapGroup(Start).RequireRateLimiting(Limits.Admin).AddEndpointFilter(AdminPageFilter.InvokeAsync);
        admin.MapGet("", UsersAsync);
        admin.MapGet("users/{id}", UserAsync);
        admin.MapGet("audit", AuditAsync);
        var buttons = admin.MapGroup("").WithMetadata(RecentAuthenticationMetadata.Instance);
        buttons.MapPost("users/{id}/sessions/{session}/end", EndOneAsync);
        buttons.MapPost("users/{id}/sessions/end", EndAllAsync);
        buttons.MapAccountButtons();

        // What an administrator can do whose role does not count yet.
        var own = admin.MapGroup("").WithMetadata(WithoutSecondFactorMetadata.Instance);
        own.MapPost("sign-out", SignOutAsync);
        own.MapGet("prove", (HttpContext context, AdminProof proof, string? to = null) => proof.FormAsync(context, to));
        own.MapPost("prove", (HttpContext context, AdminProof proof, CancellationToken stop) => proof.ProveAsync(context, stop)).RequireRateLimiting(Limits.Sensitive);
        own.MapGet("second-factor", (HttpContext context, AdminSecondFactor factor) => factor.StateAsync(context));
        own.MapGet("second-factor/picture", (HttpContext context, AdminSecondFactor factor) => factor.PictureAsync(context));
        var factor = own.MapGroup("second-factor").RequireRateLimiting(Limits.Sensitive).WithMetadata(RecentAuthenticationMetadata.Instance);
        factor.MapPost("", (HttpContext context, AdminSecondFactor factor) => factor.BeginAsync(context));
        factor.MapPost("confirm", (HttpContext context, AdminSecondFactor factor, CancellationToken stop) => factor.ConfirmAsync(context, stop));
    }

    /// <summary>Makes a page with what every one of them has.</summary>
    public static IResult Page<TPage>(HttpContext context, int status, params (string Name, object? Value)[] parameters)
        where TPage : Microsoft.AspNetCore.Components.IComponent
    {
        var all = parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value, StringComparer.Ordinal);
        all["Now"] = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
        return new PageResult<TPage>(all, status);
    }

    private static async Task<IResult> UsersAsync(HttpContext context, AdminOperations operations, CancellationToken stop, string? q = null, string? after = null)
    {
        q = q?.Trim();
        if (q?.Length > LongestSearch || after?.Length > LongestSearch)
        {
            return new SeeOther(Start);
        }

        var found = await operations.FindUsersAsync(new AdminUserQuery(q, after, UsersOnAPage), stop);
        return Page<UsersPage>(context, StatusCodes.Status200OK, ("Form", FormToken(context)), ("Search", q), ("Found", found), ("Later", after is not null));
    }

    private static async Task<IResult> UserAsync(string id, HttpContext context, AdminOperations operations, CancellationToken stop, string? notice = null)
    {
        if (await operations.GetUserAsync(id, stop) is not { } user)
        {
            return Page<MessagePage>(context, StatusCodes.Status404NotFound, ("Form", FormToken(context)), ("Title", "No such user"), ("Text", "There is no user with this id."));
        }

        var events = await operations.AuditAsync(new AdminAuditQuery(user.User.Id, null, null, EventsOfAUser), stop);
        return Page<UserPage>(
            context,
            StatusCodes.Status200OK,
            ("Form", FormToken(context)),
            ("Details", user),
            ("Events", events.Events),
            ("CurrentSession", context.User.SessionId().Value),
            ("Own", user.User.Id == context.User.UserId()),
            ("Notice", Notices.Read(notice)));
    }

    private static async Task<IResult> AuditAsync(HttpContext context, AdminOperations operations, CancellationToken stop, string? user = null, string? action = null, long? before = null)
    {
        (user, action) = (Blank(user), Blank(action));
        if (user?.Length > 64 || action?.Length > 64)
        {
            return new SeeOther("/admin/audit");
        }

        var found = await operations.AuditAsync(new AdminAuditQuery(user, action, before, EventsOnAPage), stop);
        return Page<AuditPage>(context, StatusCodes.Status200OK, ("Form", FormToken(context)), ("Found", found), ("UserId", user), ("Action", action), ("Later", before is not null));
    }

    private static async Task<IResult> EndOneAsync(string id, string session, HttpContext context, AdminOperations operations, CancellationToken stop)
    {
        var outcome = await operations.EndSessionAsync(AdminActor.Of(context), id, session, stop);
        return Back(id, outcome switch { AdminOutcome.Done => Notices.Ended, AdminOutcome.Journalled => Notices.Journalled, _ => Notices.Gone });
    }

    private static async Task<IResult> EndAllAsync(string id, HttpContext context, AdminOperations operations, CancellationToken stop) =>
        Back(id, await operations.EndSessionsAsync(AdminActor.Of(context), id, stop) is not { } ended ? Notices.Gone
            : ended.Outcome == RevocationOutcome.Done ? Notices.AllEnded
            : Notices.Journalled);

    private static async Task<IResult> SignOutAsync(HttpContext context, AdminPageSignIn signIn, CancellationToken stop)
    {
        await signIn.EndAsync(context, stop);
        return new SeeOther(SignIn);
    }

    /// <summary>Back to the user, with what came of a button.</summary>
    public static SeeOther Back(string id, string notice) => new($"/admin/users/{Uri.EscapeDataString(id)}?notice={notice}");

    /// <summary>What a form must carry to be of a page of this session.</summary>
    public static string FormToken(HttpContext context) => SessionCookies.AntiforgeryTokenOf(context.Request.SessionToken()!);

    private static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
