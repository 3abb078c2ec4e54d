namespace Maintenance.WebHost.Admin;

/// <summary>What administrators need. Bound from <c>Admin</c>.</summary>
internal sealed class AdminOptions
{
    public const string Section = "Admin";

    /// <summary>Whether the role of an administrator counts only while the account's second factor is on. Default true, but false in Development.</summary>
    public bool? RequireSecondFactor { get; set; }
}
