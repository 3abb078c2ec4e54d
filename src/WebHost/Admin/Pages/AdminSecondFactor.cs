using Maintenance.Pages;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Admin.Pages;

/// <summary>An administrator whose role needs a second factor turns it on here: the pages are of no other use before.</summary>
internal sealed class AdminSecondFactor(
    UserManager<User> users, TwoFactorManagement management, AuthenticatorKeys keys, AdminRole role, IOptionsMonitor<TwoFactorSettings> settings)
{
    /// <summary>Where it is done.</summary>
    public const string Path = "/admin/second-factor";

    /// <summary>What is so, and a button.</summary>
    public async Task<IResult> StateAsync(HttpContext context) =>
        Page(context, StatusCodes.Status200OK, ("Enabled", (await users.FindByIdAsync(context.User.UserId()))?.TwoFactorEnabled == true));

    /// <summary>Makes a key, and shows it.</summary>
    public async Task<IResult> BeginAsync(HttpContext context) => await management.EnrolAsync(context) switch
    {
        Ok<TwoFactorEnrolment> { Value: { } enrolment } => Page(context, StatusCodes.Status200OK, ("Key", enrolment.Secret)),
        ProblemHttpResult { ProblemDetails.Status: StatusCodes.Status409Conflict } => new SeeOther(Path),
        var other => other,
    };

    /// <summary>The key as a picture, as long as it has not been confirmed.</summary>
    public async Task<IResult> PictureAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        return await users.FindByIdAsync(context.User.UserId()) is { TwoFactorEnabled: false } user && keys.Get(user) is { } key
            ? TypedResults.Bytes(AuthenticatorUri.Picture(AuthenticatorUri.Of(settings.CurrentValue.Issuer, user.Email, key)), "image/png")
            : TypedResults.NotFound();
    }

    /// <summary>Takes the first code, and shows the recovery codes.</summary>
    public async Task<IResult> ConfirmAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var form = await PageForm.ReadAsync(context);
        var request = new TwoFactorCodeRequest { Code = form?["code"].ToString().Replace(" ", "", StringComparison.Ordinal) ?? "" };
        if (RequestRules.Failures(request) is not null)
        {
            return await KeyAsync(context, "Give the six digits that the app shows.", StatusCodes.Status400BadRequest);
        }

        return await management.ConfirmAsync(request, context, cancellationToken) switch
        {
            Ok<NewRecoveryCodes> { Value: { } codes } => Page(context, StatusCodes.Status200OK, ("RecoveryCodes", codes.RecoveryCodes)),
            ProblemHttpResult { ProblemDetails: { Status: StatusCodes.Status409Conflict } } => new SeeOther(Path),
            ProblemHttpResult { ProblemDetails: var problem } => await KeyAsync(context, AdminProof.Text(problem), problem.Status ?? StatusCodes.Status400BadRequest),
            var other => other,
        };
    }

    private async Task<IResult> KeyAsync(HttpContext context, string? problem, int status) =>
        await users.FindByIdAsync(context.User.UserId()) is { TwoFactorEnabled: false } user && keys.Get(user) is { } key
            ? Page(context, status, ("Key", key), ("Problem", problem))
            : new SeeOther(Path);

    private IResult Page(HttpContext context, int status, params (string Name, object? Value)[] parameters) => AdminPageEndpoints.Page<SecondFactorPage>(
        context, status, [("Form", AdminPageEndpoints.FormToken(context)), ("Needed", role.NeedsSecondFactor), .. parameters]);
}
