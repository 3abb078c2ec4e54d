using Maintenance.Storage.TwoFactor;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Users;

namespace Maintenance.WebHost.TwoFactor;

/// <summary>
/// Asks somebody who is signed in for a code of the authenticator. Attempts are counted with those of log-ins, and a code works once for both.
/// </summary>
internal sealed class AuthenticatorCheck(ITwoFactorStore challenges, AuthenticatorKeys keys, AccountMail mail, IAuditTrail audit, TimeProvider clock)
{
    private const string Method = "signed-in";

    /// <summary>The answer to give when the code does not count; null: it was right, and is used up.</summary>
    public async Task<IResult?> RefusalAsync(HttpContext context, User user, string? code, CancellationToken cancellationToken)
    {
        var start = await challenges.BeginAsync(new NewTwoFactorChallenge { UserId = user.Key, Method = Method }, cancellationToken);
        if (start is not { Token: { } token, Challenge: { } challenge })
        {
            audit.Record(context, SecondFactorAudit.Refused(user.Key, TwoFactorOutcome.UserLocked));
            return LimitProblems.TooManyCodes(context, start.RetryAfter);
        }

        var attempt = await challenges.AttemptAsync(token.Value, cancellationToken);
        if (attempt.Outcome == TwoFactorOutcome.Allowed
            && keys.Get(user) is { } key
            && Totp.StepOf(key, code, clock.GetUtcNow()) is { } step)
        {
            attempt = await challenges.CompleteAsync(token.Value, step, cancellationToken);
        }

        if (attempt.Outcome == TwoFactorOutcome.Completed)
        {
            return null;
        }

        audit.Record(context, SecondFactorAudit.Refused(user.Key, attempt.Outcome));
        if (attempt.Outcome == TwoFactorOutcome.StepUsed)
        {
            mail.SendCodeRepeated(user);
        }

        await challenges.CancelAsync(user.Key, challenge.Id, cancellationToken);
        return attempt.Outcome == TwoFactorOutcome.UserLocked
            ? LimitProblems.TooManyCodes(context, attempt.RetryAfter)
            : Problems.Invalid("code", "The code is wrong, or has been used.");
    }
}
