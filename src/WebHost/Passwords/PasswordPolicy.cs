using System.Text;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Passwords;

/// <summary>Passwords that attackers know. Another list, or a service, takes this place in the container.</summary>
internal interface IBreachedPasswords
{
    ValueTask<bool> ContainsAsync(string password, CancellationToken cancellationToken);
}

/// <summary>What a new password must be: long enough, not the user's own name or address, not one that attackers know. No rules about kinds of characters.</summary>
internal sealed class PasswordPolicy(IOptionsMonitor<PasswordSettings> settings, IBreachedPasswords breached)
{
    /// <summary>Why a password cannot be taken; null: it can.</summary>
    public async ValueTask<string?> RefusalAsync(string password, string email, string? name, CancellationToken cancellationToken)
    {
        var shortest = settings.CurrentValue.MinLength;
        if (password.EnumerateRunes().Count() < shortest)
        {
            return $"A password has at least {shortest} characters.";
        }

        if (password.Length > PasswordSettings.MaxLength)
        {
            return $"A password has at most {PasswordSettings.MaxLength} characters.";
        }

        if (IsOwn(password, email) || IsOwn(password, email.Split('@')[0]) || IsOwn(password, name))
        {
            return "A password is not one's own name or address.";
        }

        return password.Distinct().Count() == 1 || await breached.ContainsAsync(password, cancellationToken)
            ? "This password is known to attackers. Choose another one."
            : null;
    }

    private static bool IsOwn(string password, string? own) => own is { Length: > 0 } && string.Equals(password, own.Trim(), StringComparison.OrdinalIgnoreCase);
}
