using System.Net;

namespace Maintenance.WebHost.Audit;

/// <summary>Something that matters to security. It holds no secret and no e-mail address.</summary>
internal sealed record AuditEvent
{
    /// <summary>What: one of <see cref="AuditActions"/>.</summary>
    public required string Action { get; init; }

    /// <summary>Whether it succeeded.</summary>
    public bool Succeeded { get; init; } = true;

    /// <summary>Whom it concerns, if known.</summary>
    public string? UserId { get; init; }

    /// <summary>Who did it, when it was somebody else.</summary>
    public string? ActorId { get; init; }

    /// <summary>The session concerned; its id, not its token.</summary>
    public string? SessionId { get; init; }

    public IPAddress? Address { get; init; }

    public string? UserAgent { get; init; }

    /// <summary>Why, or what in particular; a closed text of this host, never a client's.</summary>
    public string? Detail { get; init; }
}

/// <summary>A row of the trail.</summary>
internal sealed class AuditRecord
{
    public long Id { get; init; }

    public DateTimeOffset At { get; init; }

    public required string Action { get; init; }

    public bool Succeeded { get; init; }

    public string? UserId { get; init; }

    public string? ActorId { get; init; }

    public string? SessionId { get; init; }

    public string? Address { get; init; }

    public string? UserAgent { get; init; }

    public string? Detail { get; init; }
}

/// <summary>Names of what is recorded.</summary>
internal static class AuditActions
{
    public const string Registered = "account.registered";
    public const string RegistrationRepeated = "account.registration_repeated";
    public const string AccountDeleted = "account.deleted";
    public const string DataExported = "account.exported";
    public const string AccountDisabled = "account.disabled";
    public const string AccountEnabled = "account.enabled";
    public const string EmailVerified = "email.verified";
    public const string LoggedIn = "login";
    public const string CaptchaAsked = "login.captcha_required";
    public const string SecondFactorAsked = "login.second_factor_asked";
    public const string SecondFactor = "login.second_factor";
    public const string SecondFactorLocked = "login.second_factor_locked";
    public const string LoggedOut = "logout";
    public const string LoggedOutEverywhere = "logout.all";
    public const string Refreshed = "refresh";
    public const string RefreshReused = "refresh.reused";
    public const string ResetAsked = "password.reset_asked";
    public const string PasswordReset = "password.reset";
    public const string PasswordChanged = "password.changed";
    public const string Locked = "login.locked";
    public const string StepUp = "step_up";
    public const string TwoFactorEnrolled = "two_factor.enrolled";
    public const string TwoFactorEnabled = "two_factor.enabled";
    public const string TwoFactorDisabled = "two_factor.disabled";
    public const string RecoveryCodesReplaced = "two_factor.recovery_codes_replaced";
    public const string SessionEnded = "session.ended";
    public const string ExternalSignIn = "external.sign_in";
    public const string ExternalLinked = "external.linked";
    public const string ExternalUnlinked = "external.unlinked";
    public const string AntiforgeryRefused = "antiforgery.refused";
    public const string AuditPruned = "audit.pruned";
    public const string AdminRefused = "admin.refused";
    public const string AdminSessionsEnded = "admin.sessions_ended";
    public const string AdminSessionEnded = "admin.session_ended";
    public const string AdminTokenRevoked = "admin.token_revoked";
    public const string AdminUnlocked = "admin.unlocked";
    public const string AdminRoleGiven = "admin.role_given";
    public const string AdminRoleTaken = "admin.role_taken";
}

/// <summary>What is said of more than one event.</summary>
internal static class AuditDetails
{
    public const string DeadLink = "the link does not count";
}
