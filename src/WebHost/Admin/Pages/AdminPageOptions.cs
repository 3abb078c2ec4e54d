namespace Maintenance.WebHost.Admin.Pages;

/// <summary>The administrator's pages at <c>/admin</c>. Bound from <c>AdminPages</c>.</summary>
internal sealed class AdminPageOptions
{
    public const string Section = "AdminPages";

    /// <summary>Whether they are served. They need the cookies of <c>Cookies:Enabled</c>. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Whether they are served where clients call, too. Default false: only at <c>Management:Address</c> and <c>Management:Port</c>, which is the
    /// operator's network.
    /// </summary>
    public bool OnApiPort { get; set; }
}
