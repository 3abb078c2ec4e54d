using Maintenance.Storage.TwoFactor;
using Maintenance.WebHost.Audit;

namespace Maintenance.WebHost.TwoFactor;

/// <summary>What the trail says of a code that did not count, at a log-in and of somebody who is signed in.</summary>
internal static class SecondFactorAudit
{
    public const string UsedBefore = "a code that was used before";

    /// <summary>The event.</summary>
    /// <param name="user">Whose challenge it was; null: there is none.</param>
    /// <param name="outcome">Why it did not count.</param>
    public static AuditEvent Refused(string? user, TwoFactorOutcome outcome) => new()
    {
        Action = outcome is TwoFactorOutcome.Locked or TwoFactorOutcome.UserLocked ? AuditActions.SecondFactorLocked : AuditActions.SecondFactor,
        Succeeded = false,
        UserId = user,
        Detail = outcome switch
        {
            TwoFactorOutcome.StepUsed => UsedBefore,
            TwoFactorOutcome.Locked => "too many codes at one log-in",
            TwoFactorOutcome.UserLocked => "too many codes",
            TwoFactorOutcome.Denied => "no such log-in, or it has ended",
            _ => "a wrong code",
        },
    };
}
