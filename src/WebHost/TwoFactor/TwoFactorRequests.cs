using System.ComponentModel.DataAnnotations;

namespace Maintenance.WebHost.TwoFactor;

/// <summary>Whether a second factor is asked for.</summary>
/// <param name="Enabled">Whether it is.</param>
/// <param name="RecoveryCodesLeft">Recovery codes that have not been used.</param>
internal sealed record TwoFactorState(bool Enabled, int RecoveryCodesLeft);

/// <summary>What an authenticator app needs; it counts once a code of it was confirmed.</summary>
/// <param name="Secret">The key in base32, to be typed.</param>
/// <param name="Uri">The key as an otpauth URI.</param>
/// <param name="QrCode">The URI as a picture: a PNG as a data URI.</param>
internal sealed record TwoFactorEnrolment(string Secret, string Uri, string QrCode);

/// <summary>A code of the authenticator.</summary>
internal sealed record TwoFactorCodeRequest
{
    [Required]
    [StringLength(6, MinimumLength = 6)]
    public string Code { get; init; } = "";
}

/// <summary>Recovery codes. They are shown this once.</summary>
internal sealed record NewRecoveryCodes(IReadOnlyList<string> RecoveryCodes);
