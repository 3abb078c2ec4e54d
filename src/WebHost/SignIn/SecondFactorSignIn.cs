using Maintenance.Storage.TwoFactor;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;

namespace Maintenance.WebHost.SignIn;

/// <summary>Finishes a log-in with its second factor. Attempts are counted before a code is looked at, and a code works once.</summary>
internal sealed class SecondFactorSignIn(
    ITwoFactorStore challenges,
    UserManager<User> users,
    AuthenticatorKeys keys,
    IUserTwoFactorRecoveryCodeStore<User> recoveryCodes,
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
            return Refuse(attempt, context);
        }

        if (await users.FindByIdAsync(challenge.UserId) is not { TwoFactorEnabled: true } user)
        {
            return Refuse(new TwoFactorAttempt(TwoFactorOutcome.Denied), context);
        }

        var method = request.Method
            ?? (request.Code.Length == 6 && request.Code.All(char.IsAsciiDigit) ? SecondFactorMethods.Totp : SecondFactorMethods.RecoveryCode);
        long? step = null;
        var right = method == SecondFactorMethods.Totp
            ? keys.Get(user) is { } key && (step = Totp.StepOf(key, request.Code, clock.GetUtcNow())) is not null
            : await recoveryCodes.RedeemCodeAsync(user, request.Code, cancellationToken);
        var end = right
            ? await challenges.CompleteAsync(request.ChallengeId, step, cancellationToken)
            : new TwoFactorAttempt(TwoFactorOutcome.WrongCode, challenge);
        audit.Record(context, new AuditEvent
        {
            Action = AuditActions.SecondFactor,
            Succeeded = end.Outcome == TwoFactorOutcome.Completed,
            UserId = user.Key,
            Detail = end.Outcome == TwoFactorOutcome.StepUsed ? "a code that was used before" : method,
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

        return signIn.Refusal(user) is { } refusal
            ? Problems.Of(StatusCodes.Status403Forbidden, refusal.Code, refusal.Detail)
            : await signIn.FinishAsync(
                user,
                challenge.Data.Length == 0 ? null : challenge.Data,
                method,
                context,
                cancellationToken,
                challenge.Method == SecondFactorMethods.AfterPassword ? devices.Read(context, request.DeviceToken) : null);
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
