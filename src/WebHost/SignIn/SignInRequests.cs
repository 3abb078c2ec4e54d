using System.ComponentModel.DataAnnotations;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Passwords;

namespace Maintenance.WebHost.SignIn;

/// <summary>An address and a password.</summary>
internal sealed record LoginRequest
{
    [Required]
    [MailAddress]
    [StringLength(MailAddressAttribute.MaxLength)]
    public string Email { get; init; } = "";

    [Required]
    [StringLength(PasswordSettings.MaxLength)]
    public string Password { get; init; } = "";

    /// <summary>Name of the device, for the list of sessions.</summary>
    [PlainText(NewSession.MaxDeviceNameBytes, MaxBytes = NewSession.MaxDeviceNameBytes)]
    public string? Device { get; init; }

    /// <summary>Answer of a CAPTCHA, when one was asked for.</summary>
    [StringLength(4096)]
    public string? Captcha { get; init; }

    /// <summary>What an earlier log-in gave as <c>deviceToken</c>, of a client without cookies: its failures are counted apart from strangers'.</summary>
    [StringLength(KnownDevices.MaxLength)]
    public string? DeviceToken { get; init; }
}

/// <summary>The first factor was right; the second is asked for at <c>login/2fa</c>.</summary>
internal sealed record SecondFactorNeeded(string ChallengeId, IReadOnlyList<string> Methods, DateTimeOffset ExpiresAt)
{
    /// <summary>For the document.</summary>
    public const string When = "With a second factor: a challenge instead of a session; go on at login/2fa.";
}

/// <summary>The second factor.</summary>
internal sealed record SecondFactorRequest
{
    [Required]
    [StringLength(128)]
    public string ChallengeId { get; init; } = "";

    /// <summary>Six digits of an authenticator, or a recovery code.</summary>
    [Required]
    [StringLength(64)]
    public string Code { get; init; } = "";

    /// <summary><c>totp</c> or <c>recovery_code</c>; without it, six digits are a code of an authenticator.</summary>
    [AllowedValues("totp", "recovery_code", null, ErrorMessage = "Expected totp or recovery_code.")]
    public string? Method { get; init; }

    /// <summary>As at <c>login</c>: goes on with what the device remembers of other accounts.</summary>
    [StringLength(KnownDevices.MaxLength)]
    public string? DeviceToken { get; init; }
}

/// <summary>A refresh token.</summary>
internal sealed record RefreshRequest
{
    [Required]
    [StringLength(256)]
    public string RefreshToken { get; init; } = "";
}

/// <summary>What a log-out everywhere did.</summary>
/// <param name="Ended">Sessions that were known and have been ended. Others are dead too.</param>
internal sealed record LoggedOutEverywhere(int Ended);
