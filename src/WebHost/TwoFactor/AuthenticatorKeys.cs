using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.DataProtection;

namespace Maintenance.WebHost.TwoFactor;

/// <summary>
/// Keys of authenticators: encrypted in the database, and bound to their user, so that a row copied into another's is worth nothing. The host must read
/// them again, so they cannot be hashed as passwords are.
/// </summary>
internal sealed class AuthenticatorKeys(IDataProtectionProvider protection)
{
    // No base32 has a colon: what stands without this was written before keys were encrypted.
    private const string Mark = "dp1:";

    /// <summary>Gives a user a key, in base32.</summary>
    public void Set(User user, string key) => user.AuthenticatorKey = Mark + Of(user).Protect(key);

    /// <summary>The user's key in base32; null: there is none.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">It cannot be decrypted: the ring, or the certificate that encrypts it, is another one.</exception>
    public string? Get(User user) => user.AuthenticatorKey is not { } stored ? null
        : stored.StartsWith(Mark, StringComparison.Ordinal) ? Of(user).Unprotect(stored[Mark.Length..])
        : stored;

    /// <summary>Whether the key stands in the database as it is, from before keys were encrypted.</summary>
    public static bool IsPlain(User user) => user.AuthenticatorKey is { } stored && !stored.StartsWith(Mark, StringComparison.Ordinal);

    private IDataProtector Of(User user) => protection.CreateProtector("authenticator-key", user.Key);
}
