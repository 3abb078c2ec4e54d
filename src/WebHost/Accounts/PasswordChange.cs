using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Passwords;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.SignIn;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.Accounts;

/// <summary>Sets a new password. Nothing that the old one made survives: sessions, refresh tokens, challenges, one-time tokens.</summary>
internal sealed class PasswordChange(
    UserManager<User> users,
    PasswordPolicy policy,
    PasswordWork passwords,
    PasswordReset reset,
    IOneTimeTokenStore tokens,
    ISessionStore sessions,
    SessionIssuer issuer,
    AccountLimit failures,
    AccountMail mail,
    IAuditTrail audit)
{
    /// <summary>By a token that was mailed.</summary>
    public async Task<IResult> ResetAsync(ResetPasswordRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        var look = await tokens.PeekAsync(OneTimePurpose.PasswordReset, request.Token, cancellationToken);
        if (look.Token is not { } token || await users.FindByIdAsync(token.UserId) is not { DisabledAt: null } user)
        {
            return Invalid();
        }

        if (await policy.RefusalAsync(request.NewPassword, user.Email, user.Name, cancellationToken) is { } refusal)
        {
            return Problems.Invalid("newPassword", refusal);
        }

        // Hashed before the token is used up: a host without room for a hash must not cost the user the token.
        var hash = await passwords.HashAsync(request.NewPassword, cancellationToken);
        var redemption = await reset.ResetAsync(request.Token, (_, _) => StoreAsync(user, hash), cancellationToken);
        if (!redemption.IsAccepted)
        {
            return Invalid();
        }

        await failures.TryForgetAsync(user.Email, cancellationToken);
        audit.Record(context, new AuditEvent { Action = AuditActions.PasswordReset, UserId = user.Key });
        mail.SendPasswordChanged(user);
        return TypedResults.NoContent();
    }

    /// <summary>By the old password. The caller gets a new session.</summary>
    public async Task<IResult> ChangeAsync(ChangePasswordRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        if (await users.FindByIdAsync(context.User.UserId()) is not { DisabledAt: null } user)
        {
            return Problems.Unauthorized();
        }

        if (await ConfirmAsync(user, request.CurrentPassword, "currentPassword", context, cancellationToken) is { } wrong)
        {
            return wrong;
        }

        if (await policy.RefusalAsync(request.NewPassword, user.Email, user.Name, cancellationToken) is { } refusal)
        {
            return Problems.Invalid("newPassword", refusal);
        }

        var device = await sessions.GetAsync(user.Key, context.User.SessionId(), cancellationToken);
        var hash = await passwords.HashAsync(request.NewPassword, cancellationToken);
        await StoreAsync(user, hash);
        await sessions.RevokeAllAsync(user.Key, except: null, cancellationToken);
        audit.Record(context, new AuditEvent { Action = AuditActions.PasswordChanged, UserId = user.Key });
        mail.SendPasswordChanged(user);
        return await issuer.IssueAsync(context, user, device?.DeviceName, cancellationToken) is { } signedIn
            ? TypedResults.Ok(signedIn)
            : Problems.Unauthorized();
    }

    /// <summary>Whether the signed-in user knows the password; a wrong one counts as a failed log-in, so a stolen session does not help to guess it.</summary>
    /// <returns>The answer to give when not.</returns>
    public async Task<IResult?> ConfirmAsync(User user, string password, string field, HttpContext context, CancellationToken cancellationToken)
    {
        var limit = await failures.TryAsync(user.Email, cancellationToken);
        if (!limit.IsAllowed)
        {
            return LimitProblems.TooMany(context, limit);
        }

        if (!(await passwords.CheckAsync(user, password, cancellationToken)).Matches)
        {
            audit.Record(context, new AuditEvent { Action = AuditActions.StepUp, Succeeded = false, UserId = user.Key });
            return Problems.Invalid(field, "The password is wrong.");
        }

        await failures.TryForgetAsync(user.Email, cancellationToken);
        return null;
    }

    private static ProblemHttpResult Invalid() => Problems.InvalidToken("The link is not valid any more. Ask for a new one.");

    private async Task StoreAsync(User user, string hash)
    {
        user.PasswordHash = hash;
        // Writes the user.
        var result = await users.UpdateSecurityStampAsync(user);
        if (!result.Succeeded)
        {
            throw new InvalidOperationException($"The password could not be stored: {string.Join(", ", result.Errors.Select(error => error.Code))}.");
        }
    }
}
