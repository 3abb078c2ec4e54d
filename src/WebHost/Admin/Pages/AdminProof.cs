using Maintenance.Pages;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.StepUp;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;

namespace Maintenance.WebHost.Admin.Pages;

/// <summary>An administrator proves again who it is, before a button of the pages changes something; what the API asks for by <c>reauthenticate</c>.</summary>
internal sealed class AdminProof(UserManager<User> users, Reauthentication reauthentication)
{
    /// <summary>Where it is done.</summary>
    public const string Path = "/admin/prove";

    /// <summary>The page; afterwards the browser goes back to where the button is.</summary>
    /// <param name="to">Id of the user whose page it is; anything else: <see cref="AdminSecondFactor.Path"/>.</param>
    public static SeeOther Ask(string? to) => new(User.TryParseKey(to, out _) ? $"{Path}?to={to}" : Path);

    /// <summary>The empty form.</summary>
    public Task<IResult> FormAsync(HttpContext context, string? to) => PageAsync(context, to, problem: null, StatusCodes.Status200OK);

    /// <summary>Takes password and code; the session gets a new token.</summary>
    public async Task<IResult> ProveAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (await PageForm.ReadAsync(context) is not { } form)
        {
            return Ask(null);
        }

        var to = form["to"].ToString();
        var (password, code) = (form["password"].ToString(), form["code"].ToString().Replace(" ", "", StringComparison.Ordinal));
        var request = new ReauthenticateRequest { Password = password.Length == 0 ? null : password, Code = code.Length == 0 ? null : code };
        if (RequestRules.Failures(request) is not null)
        {
            return await PageAsync(context, to, "Give the password, and the six digits of the code if one is asked for.", StatusCodes.Status400BadRequest);
        }

        return await reauthentication.ProveAsync(request, context, cancellationToken) switch
        {
            Ok<Reauthenticated> => User.TryParseKey(to, out _) ? AdminPageEndpoints.Back(to, Notices.Proved) : new SeeOther(AdminSecondFactor.Path),
            ProblemHttpResult { ProblemDetails: var problem } => await PageAsync(context, to, Text(problem), problem.Status ?? StatusCodes.Status400BadRequest),
            var other => other,
        };
    }

    /// <summary>What a problem says, in a sentence.</summary>
    public static string? Text(ProblemDetails problem) => problem is HttpValidationProblemDetails { Errors: { Count: > 0 } errors } ? errors.Values.First()[0] : problem.Detail;

    private async Task<IResult> PageAsync(HttpContext context, string? to, string? problem, int status)
    {
        var user = await users.FindByIdAsync(context.User.UserId());
        return AdminPageEndpoints.Page<ProofPage>(
            context,
            status,
            ("Form", AdminPageEndpoints.FormToken(context)),
            ("To", User.TryParseKey(to, out _) ? to : null),
            ("Password", user?.PasswordHash is not null),
            ("Code", user?.TwoFactorEnabled == true),
            ("Problem", problem));
    }
}
