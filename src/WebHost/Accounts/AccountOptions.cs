namespace Maintenance.WebHost.Accounts;

/// <summary>Rules of accounts. Bound from <c>Accounts</c>.</summary>
internal sealed class AccountOptions
{
    public const string Section = "Accounts";

    /// <summary>
    /// Whether an address must be verified before its owner can sign in. Default false: a client may sign in right after it registered. True also closes the one
    /// way to learn whether an address has an account, which is to register it and try to sign in.
    /// </summary>
    public bool RequireVerifiedEmail { get; set; }
}
