using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Admin;
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
    ISessionStore sessions,
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

        var isAdmin = AdminRole.IsHeldBy(user);
        if (isAdmin)
        {
            // The role may count from here on. A session that somebody else got hold of with the password alone must not come to it. Before, because
            // without the store nothing shall be done yet; and after, for a log-in that came between.
            await sessions.RevokeAllAsync(user.Key, context.User.SessionId(), cancellationToken);
        }

        user.TwoFactorEnabled = true;
        var answer = await WithNewCodesAsync(user, AuditActions.TwoFactorEnabled, "The second factor has been turned on", context, cancellationToken);
        if (isAdmin)
        {
            await EndOthersAsync(user, context);
        }

        return answer;
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
        // The stamp changes, so that a log-in under way with a code of before does not finish.
        if (!(await users.UpdateSecurityStampAsync(user)).Succeeded)
        {
            return Conflict();
        }

        audit.Record(context, new AuditEvent { Action = action, UserId = user.Key });
        Tell(user, news);
        return TypedResults.Ok(new NewRecoveryCodes(codes));
    }

    private async Task EndOthersAsync(User user, HttpContext context)
    {
        try
        {
            await sessions.RevokeAllAsync(user.Key, context.User.SessionId(), CancellationToken.None);
        }
        catch (StorageUnavailableException)
        {
            // The codes are shown this once, so they must be; a moment ago every other session was ended.
        }
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
