namespace Maintenance.WebHost.Users;

/// <summary>A person who can sign in.</summary>
internal sealed class User
{
    /// <summary>Ordered by time, so that the index grows at its end.</summary>
    public Guid Id { get; init; } = Guid.CreateVersion7();

    /// <summary>The address as the person wrote it; it is also the name to sign in with.</summary>
    public string Email { get; set; } = "";

    /// <summary>As it is compared; unique.</summary>
    public string NormalizedEmail { get; set; } = "";

    public bool EmailVerified { get; set; }

    /// <summary>
    /// Whether somebody has shown to hold both the mailbox and the way in: the address was verified by who is signed in or knows the password, or the
    /// password was set by mail, or a provider made the account. Until then the password may be a stranger's.
    /// </summary>
    public bool OwnerProved { get; set; }

    public string Name { get; set; } = "";

    /// <summary>Null: signs in by a provider only.</summary>
    public string? PasswordHash { get; set; }

    /// <summary>Changes with every change of what the person signs in with.</summary>
    public string SecurityStamp { get; set; } = "";

    /// <summary>Grows with every write, so that of two concurrent ones the second fails.</summary>
    public int Version { get; set; }

    public bool TwoFactorEnabled { get; set; }

    public string? AuthenticatorKey { get; set; }

    public bool LockoutEnabled { get; set; } = true;

    public DateTimeOffset? LockoutEnd { get; set; }

    public int AccessFailedCount { get; set; }

    /// <summary>Since when an administrator has shut the account; null: it is open.</summary>
    public DateTimeOffset? DisabledAt { get; set; }

    public DateTimeOffset CreatedAt { get; init; }

    public string? Locale { get; set; }

    public string? TimeZone { get; set; }

    /// <summary>Name of the stored picture.</summary>
    public string? Avatar { get; set; }

    public List<UserRole> Roles { get; } = [];

    public List<ExternalLogin> Logins { get; } = [];

    public List<RecoveryCode> RecoveryCodes { get; } = [];

    /// <summary>How Storage, tokens and claims name the user.</summary>
    public string Key => Id.ToString("D");

    /// <summary>Reads what <see cref="Key"/> wrote.</summary>
    public static bool TryParseKey(string? key, out Guid id) => Guid.TryParseExact(key, "D", out id);
}

/// <summary>A role that a user has.</summary>
internal sealed class UserRole
{
    public Guid UserId { get; init; }

    /// <summary>Lower case.</summary>
    public required string Role { get; init; }
}

/// <summary>An account at a provider that signs the user in.</summary>
internal sealed class ExternalLogin
{
    public required string Provider { get; init; }

    /// <summary>The user's id there.</summary>
    public required string Subject { get; init; }

    public Guid UserId { get; init; }

    public string? DisplayName { get; init; }
}

/// <summary>A code that stands in once for a lost authenticator; only its hash is kept.</summary>
internal sealed class RecoveryCode
{
    public Guid UserId { get; init; }

    public required string Hash { get; init; }
}

/// <summary>Names of roles.</summary>
internal static class Roles
{
    public const string Admin = "admin";
}
