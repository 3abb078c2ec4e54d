using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.SignIn;

/// <summary>Finishes a log-in with its second factor. Attempts are counted before a code is looked at, and a code works once.</summary>
internal sealed class SecondFactorSignIn(
    ITwoFactorStore challenges,
    UserManager<User> users,
    AuthenticatorKeys keys,
    UserStore store,
    ISessionStore sessions,
    PasswordSignIn signIn,
    KnownDevices devices,
    AccountMail mail,
    IAuditTrail audit,
    TimeProvider clock)
{
    public async Task<IResult> SignInAsync(SecondFactorRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        var attempt = await challenges.AttemptAsync(request.ChallengeId, cancellationToken);
        if (attempt is not { Outcome: TwoFactorOutcome.Allowed, Challenge: { } challenge })
        {
            audit.Record(context, SecondFactorAudit.Refused(attempt.Challenge?.UserId, attempt.Outcome));
            return Refuse(attempt, context);
        }

        if (await users.FindByIdAsync(challenge.UserId) is not { TwoFactorEnabled: true } user)
        {
            audit.Record(context, SecondFactorAudit.Refused(challenge.UserId, TwoFactorOutcome.Denied));
            return Refuse(new TwoFactorAttempt(TwoFactorOutcome.Denied), context);
        }

        var method = request.Method
            ?? (request.Code.Length == 6 && request.Code.All(char.IsAsciiDigit) ? SecondFactorMethods.Totp : SecondFactorMethods.RecoveryCode);
        long? step = null;
        var right = method == SecondFactorMethods.Totp
            ? keys.Get(user) is { } key && (step = Totp.StepOf(key, request.Code, clock.GetUtcNow())) is not null
            : await store.HasCodeAsync(user, request.Code, cancellationToken);
        var end = right
            ? await challenges.CompleteAsync(request.ChallengeId, step, cancellationToken)
            : new TwoFactorAttempt(TwoFactorOutcome.WrongCode, challenge);
        audit.Record(context, new AuditEvent
        {
            Action = AuditActions.SecondFactor,
            Succeeded = end.Outcome == TwoFactorOutcome.Completed,
            UserId = user.Key,
            Detail = end.Outcome == TwoFactorOutcome.StepUsed ? SecondFactorAudit.UsedBefore : method,
        });
        if (end.Outcome == TwoFactorOutcome.StepUsed)
        {
            // Who has seen the code may be somebody else, and knows the password.
            mail.SendCodeRepeated(user);
        }

        if (end.Outcome != TwoFactorOutcome.Completed)
        {
            return Refuse(end, context);
        }

        if (AuthenticatorKeys.IsPlain(user))
        {
            keys.Set(user, keys.Get(user)!);
            await users.UpdateAsync(user);
        }

        if (signIn.Refusal(user) is { } refusal)
        {
            audit.Record(context, new AuditEvent { Action = AuditActions.LoggedIn, Succeeded = false, UserId = user.Key, Detail = refusal.Code });
            return Problems.Of(StatusCodes.Status403Forbidden, refusal.Code, refusal.Detail);
        }

        var answer = await signIn.FinishAsync(
                user,
                challenge.Data.Length == 0 ? null : challenge.Data,
                method,
                context,
                cancellationToken,
                challenge.Method == SecondFactorMethods.AfterPassword ? devices.Read(context, request.DeviceToken) : null);
        return method == SecondFactorMethods.RecoveryCode && answer is Ok<SignedIn> { Value: { } signedIn } && !await UseUpAsync(user, request.Code, signedIn, context)
            ? Refuse(end with { Outcome = TwoFactorOutcome.WrongCode }, context)
            : answer;
    }

    /// <summary>
    /// Uses a recovery code up, last of all: whatever failed before has cost none. Nobody has the session's token yet; when the code was used by another
    /// log-in at the same time, the session ends unseen.
    /// </summary>
    private async Task<bool> UseUpAsync(User user, string code, SignedIn signedIn, HttpContext context)
    {
        var used = false;
        try
        {
            // Whoever hangs up here has signed in, or not; there is nothing between.
            return used = await store.RedeemCodeAsync(user, code, CancellationToken.None);
        }
        finally
        {
            if (!used)
            {
                context.Response.Headers.SetCookie = default;
                audit.Record(context, new AuditEvent { Action = AuditActions.LoggedIn, Succeeded = false, UserId = user.Key, Detail = "the recovery code could not be used up" });
                if (SessionToken.TryParse(signedIn.SessionToken, out var token))
                {
                    await sessions.RevokeAsync(user.Key, token.Id, CancellationToken.None);
                }
            }
        }
    }

    private static IResult Refuse(TwoFactorAttempt attempt, HttpContext context) => attempt.Outcome switch
    {
        TwoFactorOutcome.UserLocked => LimitProblems.TooManyCodes(context, attempt.RetryAfter),
        TwoFactorOutcome.Locked => Problems.Of(401, "challenge_locked", "Too many wrong codes. Sign in again."),
        TwoFactorOutcome.WrongCode or TwoFactorOutcome.StepUsed => Problems.Of(
            401,
            "invalid_code",
            "The code is wrong, or has been used.",
            new Dictionary<string, object?>(StringComparer.Ordinal) { ["attemptsLeft"] = attempt.Challenge?.AttemptsLeft ?? 0 }),
        _ => Problems.Of(401, "invalid_challenge", "This log-in has ended. Sign in again."),
    };
}
