using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Passwords;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.SignIn;
using Maintenance.WebHost.StepUp;
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
    UnverifiedCleanup cleanup,
    IOneTimeTokenStore tokens,
    ISessionStore sessions,
    SessionIssuer issuer,
    RecentProof proof,
    AccountLimit failures,
    KnownDevices devices,
    AccountMail mail,
    IAuditTrail audit)
{
    /// <summary>By a token that was mailed.</summary>
    public async Task<IResult> ResetAsync(ResetPasswordRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        var look = await tokens.PeekAsync(OneTimePurpose.PasswordReset, request.Token, cancellationToken);
        if (look.Token is not { } token || await users.FindByIdAsync(token.UserId) is not { DisabledAt: null } user)
        {
            audit.Record(context, new AuditEvent { Action = AuditActions.PasswordReset, Succeeded = false, UserId = look.Token?.UserId, Detail = AuditDetails.DeadLink });
            return Invalid();
        }

        if (await policy.RefusalAsync(request.NewPassword, user.Email, user.Name, cancellationToken) is { } refusal)
        {
            return Problems.Invalid("newPassword", refusal);
        }

        // Hashed before the token is used up: a host without room for a hash must not cost the user the token.
        var hash = await passwords.HashAsync(request.NewPassword, cancellationToken);
        var (stored, strangersRemoved) = (false, false);
        User? owner = null;
        var redemption = await reset.ResetAsync(
            request.Token,
            // Whatever else was written of the user meanwhile, the owner of the address has spoken; only a shut account stays as it is.
            async (id, _) => stored = await StoreAsync(id, hash, found => found.DisabledAt is null, async found =>
            {
                owner = found;
                found.EmailVerified = true;
                strangersRemoved = await cleanup.ApplyAsync(found, CancellationToken.None);
            }),
            cancellationToken);
        if (!redemption.IsAccepted || !stored)
        {
            audit.Record(context, new AuditEvent { Action = AuditActions.PasswordReset, Succeeded = false, UserId = token.UserId, Detail = AuditDetails.DeadLink });
            return Invalid();
        }

        await failures.TryForgetAsync(user.Email, cancellationToken);
        await failures.TryForgetSignedInAsync(user, cancellationToken);
        // Who has just set the password knows it: strangers who go on guessing cannot block the log-in that follows.
        devices.Remember(context, owner!, devices.Read(context, token: null));
        audit.Record(context, new AuditEvent { Action = AuditActions.PasswordReset, UserId = user.Key });
        mail.SendPasswordChanged(user, strangersRemoved);
        return TypedResults.NoContent();
    }

    /// <summary>By the old password. The caller gets a new session.</summary>
    public async Task<IResult> ChangeAsync(ChangePasswordRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        if (await users.FindByIdAsync(context.User.UserId()) is not { DisabledAt: null } user)
        {
            return Problems.Unauthorized();
        }

        // The new session will count as a recent proof, so it needs all that one needs.
        if (await proof.MissingCodeAsync(user, request.Code, context, cancellationToken) is { } missing)
        {
            return missing;
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
        if (await proof.WrongCodeAsync(user, request.Code, context, cancellationToken) is { } wrongCode)
        {
            return wrongCode;
        }

        cancellationToken.ThrowIfCancellationRequested();
        var stamp = user.SecurityStamp;
        if (!await StoreAsync(user.Key, hash, found => found.DisabledAt is null && found.SecurityStamp == stamp, _ => Task.CompletedTask))
        {
            return Problems.Of(StatusCodes.Status409Conflict, "conflict", "The account was changed at the same time. Try again.");
        }

        // From here on nobody's hanging up counts: the password is another one, and what the old one made must not live on.
        audit.Record(context, new AuditEvent { Action = AuditActions.PasswordChanged, UserId = user.Key });
        mail.SendPasswordChanged(user);
        RevocationOutcome outcome;
        try
        {
            outcome = (await sessions.RevokeAllAsync(user.Key, except: null, CancellationToken.None)).Outcome;
        }
        catch (StorageUnavailableException)
        {
            return Problems.Unavailable(
                context.Response, "The password HAS been changed, but the sessions could not be ended. Sign in with the new one and log out everywhere.", TimeSpan.FromSeconds(1), "password_changed");
        }

        if (await users.FindByIdAsync(user.Key) is not { } changed || await issuer.IssueAsync(context, changed, device?.DeviceName, mark: null, cancellationToken) is not { } signedIn)
        {
            return Problems.Unauthorized();
        }

        signedIn = signedIn with { DeviceToken = devices.Remember(context, changed, devices.Read(context, token: null)) };
        return outcome == RevocationOutcome.Done ? TypedResults.Ok(signedIn) : TypedResults.Accepted((string?)null, signedIn);
    }

    /// <summary>Whether the signed-in user knows the password; a wrong one counts as a failed log-in, so a stolen session does not help to guess it.</summary>
    /// <returns>The answer to give when not.</returns>
    public async Task<IResult?> ConfirmAsync(User user, string password, string field, HttpContext context, CancellationToken cancellationToken)
    {
        var limit = await failures.TrySignedInAsync(user, cancellationToken);
        if (!limit.IsAllowed)
        {
            audit.Record(context, new AuditEvent { Action = AuditActions.StepUp, Succeeded = false, UserId = user.Key, Detail = "too many wrong passwords" });
            return LimitProblems.TooMany(context, limit);
        }

        if (!(await passwords.CheckAsync(user, password, cancellationToken)).Matches)
        {
            audit.Record(context, new AuditEvent { Action = AuditActions.StepUp, Succeeded = false, UserId = user.Key, Detail = "a wrong password" });
            return Problems.Invalid(field, "The password is wrong.");
        }

        await failures.TryForgetSignedInAsync(user, cancellationToken);
        return null;
    }

    private static ProblemHttpResult Invalid() => Problems.InvalidToken("The link is not valid any more. Ask for a new one.");

    // Of two writes at the same time the second fails; the user is read again then, and the password stored if it still may be.
    private async Task<bool> StoreAsync(string id, string hash, Func<User, bool> mayStill, Func<User, Task> change)
    {
        const int attempts = 5;
        for (var i = 0; i < attempts; i++)
        {
            if (await users.FindByIdAsync(id) is not { } user || !mayStill(user))
            {
                return false;
            }

            await change(user);
            user.PasswordHash = hash;
            // Writes the user.
            if ((await users.UpdateSecurityStampAsync(user)).Succeeded)
            {
                return true;
            }
        }

        return false;
    }
}
