using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Mail;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.TwoFactor;

/// <summary>Turns the second factor on and off. A key counts only after a code of it was shown, so nobody locks himself out with an app that failed to scan.</summary>
internal sealed class TwoFactorManagement(
    UserManager<User> users,
    IUserTwoFactorRecoveryCodeStore<User> recoveryCodes,
    AuthenticatorCheck check,
    AuthenticatorKeys keys,
    Outbox outbox,
    IAuditTrail audit,
    IOptionsMonitor<TwoFactorSettings> settings)
{
    public async Task<IResult> StateAsync(HttpContext context, CancellationToken cancellationToken) =>
        await FindAsync(context) is { } user
            ? TypedResults.Ok(new TwoFactorState(user.TwoFactorEnabled, await recoveryCodes.CountCodesAsync(user, cancellationToken)))
            : Problems.Unauthorized();

    public async Task<IResult> EnrolAsync(HttpContext context)
    {
        if (await FindAsync(context) is not { } user)
        {
            return Problems.Unauthorized();
        }

        if (user.TwoFactorEnabled)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "already_enabled", "A second factor is on. Turn it off before another one is enrolled.");
        }

        var key = Totp.NewKey();
        keys.Set(user, key);
        if (!(await users.UpdateAsync(user)).Succeeded)
        {
            return Conflict();
        }

        audit.Record(context, new AuditEvent { Action = AuditActions.TwoFactorEnrolled, UserId = user.Key });
        var uri = AuthenticatorUri.Of(settings.CurrentValue.Issuer, user.Email, key);
        return TypedResults.Ok(new TwoFactorEnrolment(key, uri, AuthenticatorUri.QrCode(uri)));
    }

    public async Task<IResult> ConfirmAsync(TwoFactorCodeRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        if (await FindAsync(context) is not { } user)
        {
            return Problems.Unauthorized();
        }

        if (user.TwoFactorEnabled || user.AuthenticatorKey is null)
        {
            return Problems.Of(StatusCodes.Status409Conflict, "not_enrolled", "There is no enrolment to confirm.");
        }

        if (await check.RefusalAsync(context, user, request.Code, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        user.TwoFactorEnabled = true;
        return await WithNewCodesAsync(user, AuditActions.TwoFactorEnabled, "The second factor has been turned on", context, cancellationToken);
    }

    public async Task<IResult> DisableAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (await FindAsync(context) is not { } user)
        {
            return Problems.Unauthorized();
        }

        user.TwoFactorEnabled = false;
        user.AuthenticatorKey = null;
        await recoveryCodes.ReplaceCodesAsync(user, [], cancellationToken);
        if (!(await users.UpdateSecurityStampAsync(user)).Succeeded)
        {
            return Conflict();
        }

        audit.Record(context, new AuditEvent { Action = AuditActions.TwoFactorDisabled, UserId = user.Key });
        Tell(user, "The second factor has been turned off");
        return TypedResults.NoContent();
    }

    public async Task<IResult> ReplaceCodesAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (await FindAsync(context) is not { } user)
        {
            return Problems.Unauthorized();
        }

        return user.TwoFactorEnabled
            ? await WithNewCodesAsync(user, AuditActions.RecoveryCodesReplaced, "The recovery codes have been replaced", context, cancellationToken)
            : Problems.Of(StatusCodes.Status409Conflict, "not_enabled", "There is no second factor that recovery codes could stand in for.");
    }

    private async Task<IResult> WithNewCodesAsync(User user, string action, string news, HttpContext context, CancellationToken cancellationToken)
    {
        var codes = RecoveryCodes.Create();
        await recoveryCodes.ReplaceCodesAsync(user, codes, cancellationToken);
        // The stamp changes, so that a log-in under way with what was valid before does not finish.
        if (!(await users.UpdateSecurityStampAsync(user)).Succeeded)
        {
            return Conflict();
        }

        audit.Record(context, new AuditEvent { Action = action, UserId = user.Key });
        Tell(user, news);
        return TypedResults.Ok(new NewRecoveryCodes(codes));
    }

    private void Tell(User user, string news)
    {
        var email = new Email("two_factor_changed", user.Email, news, $"""
            {AccountMail.Greeting(user)}

            {news.ToLowerInvariant()} for your account. If it was not you, change your password at once.
            """);
        outbox.Tell(email);
    }

    private async Task<User?> FindAsync(HttpContext context) =>
        await users.FindByIdAsync(context.User.UserId()) is { DisabledAt: null } user ? user : null;

    private static ProblemHttpResult Conflict() =>
        Problems.Of(StatusCodes.Status409Conflict, "conflict", "The account was changed at the same time. Try again.");
}
