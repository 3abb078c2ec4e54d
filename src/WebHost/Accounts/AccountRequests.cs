using System.ComponentModel.DataAnnotations;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Passwords;

namespace Maintenance.WebHost.Accounts;

/// <summary>A new account.</summary>
internal sealed record RegisterRequest
{
    [Required]
    [MailAddress]
    [StringLength(MailAddressAttribute.MaxLength)]
    public string Email { get; init; } = "";

    [Required]
    [StringLength(PasswordSettings.MaxLength)]
    public string Password { get; init; } = "";

    [Required]
    [PlainText(MaxNameLength, NoLinks = true)]
    public string Name { get; init; } = "";

    public const int MaxNameLength = 128;
}

/// <summary>The answer to a registration, the same whether the address was known or not.</summary>
internal sealed record Registered(string Email, string Name, bool EmailVerificationRequired);

/// <summary>An address.</summary>
internal sealed record EmailRequest
{
    [Required]
    [MailAddress]
    [StringLength(MailAddressAttribute.MaxLength)]
    public string Email { get; init; } = "";
}

/// <summary>That a message is on its way, if there is an account.</summary>
internal sealed record Accepted(string Message)
{
    /// <summary>Of an end that Redis could not be told: no false success, and no refusal either.</summary>
    public static readonly Accepted Journalled = new("Written down; it holds everywhere as soon as Redis is back.");
}

/// <summary>The token that was mailed to prove an address.</summary>
internal sealed record VerifyEmailRequest
{
    [Required]
    [StringLength(128)]
    public string Token { get; init; } = "";

    /// <summary>The account's password, from who is not signed in: shows that the mailbox and the account are one person's.</summary>
    [StringLength(PasswordSettings.MaxLength)]
    public string? Password { get; init; }
}

/// <summary>A new password by a one-time token.</summary>
internal sealed record ResetPasswordRequest
{
    [Required]
    [StringLength(128)]
    public string Token { get; init; } = "";

    [Required]
    [StringLength(PasswordSettings.MaxLength)]
    public string NewPassword { get; init; } = "";
}

/// <summary>A new password by the old one.</summary>
internal sealed record ChangePasswordRequest
{
    [Required]
    [StringLength(PasswordSettings.MaxLength)]
    public string CurrentPassword { get; init; } = "";

    [Required]
    [StringLength(PasswordSettings.MaxLength)]
    public string NewPassword { get; init; } = "";

    /// <summary>A code of the authenticator; needed when the second factor is on and was not asked for lately.</summary>
    [StringLength(6, MinimumLength = 6)]
    public string? Code { get; init; }
}

/// <summary>Confirms that the account shall be deleted.</summary>
internal sealed record DeleteAccountRequest
{
    /// <summary>The password, if the account has one.</summary>
    [StringLength(PasswordSettings.MaxLength)]
    public string? Password { get; init; }

    /// <summary>A code of the authenticator; needed when the second factor is on and was not asked for lately.</summary>
    [StringLength(6, MinimumLength = 6)]
    public string? Code { get; init; }
}
