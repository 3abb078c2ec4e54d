using Maintenance.Pages;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.SignIn;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Maintenance.WebHost.Admin.Pages;

/// <summary>Signing in to the pages: the same steps, limits and audit as the API's; what it answers becomes a page. Only an administrator stays signed in.</summary>
internal sealed class AdminPageSignIn(PasswordSignIn passwords, SecondFactorSignIn factors, ISessionStore sessions, SessionCookies cookies, IAuditTrail audit)
{
    private const string Device = "Administration pages";

    /// <summary>The empty form.</summary>
    public static IResult Form(HttpContext context) => SignInPage(context, null, StatusCodes.Status200OK);

    /// <summary>Takes address and password.</summary>
    public async Task<IResult> PasswordAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (!IsOwn(context) || await PageForm.ReadAsync(context) is not { } form)
        {
            return new SeeOther(AdminPageEndpoints.SignIn);
        }

        var request = new LoginRequest { Email = form["email"].ToString().Trim(), Password = form["password"].ToString(), Device = Device };
        return RequestRules.Failures(request) is null
            ? await AnswerAsync(context, await passwords.SignInAsync(request, context, cancellationToken, canShowCaptcha: false), null, cancellationToken)
            : SignInPage(context, "Give the e-mail address and the password.", StatusCodes.Status400BadRequest);
    }

    /// <summary>Takes the code of the second factor.</summary>
    public async Task<IResult> CodeAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (!IsOwn(context) || await PageForm.ReadAsync(context) is not { } form)
        {
            return new SeeOther(AdminPageEndpoints.SignIn);
        }

        var request = new SecondFactorRequest { ChallengeId = form["challenge"].ToString(), Code = form["code"].ToString().Replace(" ", "", StringComparison.Ordinal) };
        return RequestRules.Failures(request) is null
            ? await AnswerAsync(context, await factors.SignInAsync(request, context, cancellationToken), request.ChallengeId, cancellationToken)
            : CodePage(context, request.ChallengeId, "Give the code.", StatusCodes.Status400BadRequest);
    }

    /// <summary>Ends the session of the request.</summary>
    public async Task EndAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var (user, session) = (context.User.UserId(), context.User.SessionId());
        await sessions.RevokeAsync(user, session, cancellationToken);
        cookies.Remove(context);
        audit.Record(context, new AuditEvent { Action = AuditActions.LoggedOut, UserId = user, SessionId = session.Value });
    }

    private bool IsOwn(HttpContext context)
    {
        var own = SameOrigin.Sent(context.Request);
        if (!own)
        {
            audit.Record(context, new AuditEvent { Action = AuditActions.AntiforgeryRefused, Succeeded = false, Detail = AdminPageFilter.ForeignForm });
        }

        return own;
    }

    private async Task<IResult> AnswerAsync(HttpContext context, IResult answer, string? challenge, CancellationToken cancellationToken)
    {
        switch (answer)
        {
            case Ok<SignedIn> { Value: { } signedIn } when signedIn.User.Roles.Contains(Roles.Admin, StringComparer.Ordinal):
                return new SeeOther(AdminPageEndpoints.Start);
            case Ok<SignedIn> { Value: { } signedIn }:
                // The password was right, the account is not an administrator's: nothing of it may stay in this browser.
                context.Response.Headers.SetCookie = default;
                if (SessionToken.TryParse(signedIn.SessionToken, out var token))
                {
                    audit.Record(context, new AuditEvent
                    {
                        Action = AuditActions.AdminRefused,
                        Succeeded = false,
                        UserId = signedIn.User.Id,
                        SessionId = token.Id.Value,
                        Detail = AdminRefusal.NotKept,
                    });
                    await sessions.RevokeAsync(signedIn.User.Id, token.Id, cancellationToken);
                }

                return SignInPage(context, "This account is not an administrator's.", StatusCodes.Status403Forbidden);
            case Ok<SecondFactorNeeded> { Value: { } needed }:
                return CodePage(context, needed.ChallengeId, null, StatusCodes.Status200OK);
            case ProblemHttpResult { ProblemDetails: var problem } when challenge is not null && problem.Extensions.TryGetValue("code", out var code) && code is "invalid_code":
                return CodePage(context, challenge, problem.Detail, problem.Status ?? StatusCodes.Status401Unauthorized);
            case ProblemHttpResult { ProblemDetails: var problem }:
                return SignInPage(context, problem.Detail, problem.Status ?? StatusCodes.Status401Unauthorized);
            default:
                return answer;
        }
    }

    private static IResult SignInPage(HttpContext context, string? problem, int status) =>
        AdminPageEndpoints.Page<SignInPage>(context, status, ("Problem", problem));

    private static IResult CodePage(HttpContext context, string challenge, string? problem, int status) =>
        AdminPageEndpoints.Page<CodePage>(context, status, ("Challenge", challenge), ("Problem", problem));
}
