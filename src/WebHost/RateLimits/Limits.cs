using Maintenance.Storage.RateLimiting;

namespace Maintenance.WebHost.RateLimits;

/// <summary>Names of this host's limits. Each is a policy of <c>Storage:RateLimits</c>, whose settings there win over those below.</summary>
internal static class Limits
{
    /// <summary>Log-ins an address. Also second factors.</summary>
    public const string Login = "login";

    /// <summary>Log-ins at the administration pages an address: fewer, because the page shows no CAPTCHA.</summary>
    public const string AdminLogin = "admin-login";

    /// <summary>Failed log-ins an account, known or not: few, then longer and longer blocks. Success forgets them.</summary>
    public const string LoginAccount = "login-account";

    /// <summary>Failed log-ins of a device that the account knows: as many, counted apart from everybody else's.</summary>
    public const string LoginDevice = "login-device";

    /// <summary>Registrations an address.</summary>
    public const string Register = "register";

    /// <summary>Requests that send mail, an address.</summary>
    public const string Mail = "mail";

    /// <summary>Requests that send mail, an account.</summary>
    public const string MailAccount = "mail-account";

    /// <summary>Redemptions of one-time tokens, an address.</summary>
    public const string Redeem = "redeem";

    /// <summary>Refreshes, an address.</summary>
    public const string Refresh = "refresh";

    /// <summary>Refusals for want of an antiforgery token that are recorded, an address. They are refused before anything else is asked, and beyond this without a record.</summary>
    public const string Antiforgery = "antiforgery";

    /// <summary>Everything a signed-in user does.</summary>
    public const string User = "user";

    /// <summary>What costs much or needs a password again, a user.</summary>
    public const string Sensitive = "sensitive";

    /// <summary>Exports of all that is known of a user; each walks over the whole store.</summary>
    public const string Export = "export";

    /// <summary>What an administrator does.</summary>
    public const string Admin = "admin";

    /// <summary>What anybody may read, an address.</summary>
    public const string Public = "public";

    /// <summary>Introspection by gateways: kept by this host alone, because it must cost nothing.</summary>
    public const string Verify = "verify";

    /// <summary>Health: kept by this host alone, because it must answer while Redis does not.</summary>
    public const string Health = "health";

    /// <summary>The sign-in page and what pages look like: kept by this host alone, because a page says what is wrong while Redis does not answer.</summary>
    public const string Page = "page";

    /// <summary>The limits before configuration.</summary>
    public static IReadOnlyDictionary<string, RateLimitPolicy> Defaults() => new Dictionary<string, RateLimitPolicy>(StringComparer.Ordinal)
    {
        [Login] = new() { Permits = 30, Period = TimeSpan.FromMinutes(1) },
        [AdminLogin] = new() { Permits = 10, Period = TimeSpan.FromMinutes(1) },
        [LoginAccount] = FewThenBlocked(),
        [LoginDevice] = FewThenBlocked(),
        [Register] = new() { Permits = 20, Period = TimeSpan.FromMinutes(1) },
        [Mail] = new() { Permits = 10, Period = TimeSpan.FromMinutes(1) },
        [MailAccount] = new() { Permits = 5, Period = TimeSpan.FromMinutes(15) },
        [Redeem] = new() { Permits = 20, Period = TimeSpan.FromMinutes(1) },
        [Refresh] = new() { Permits = 120, Period = TimeSpan.FromMinutes(1) },
        [Antiforgery] = new() { Permits = 30, Period = TimeSpan.FromMinutes(1) },
        [User] = new() { Permits = 600, Period = TimeSpan.FromMinutes(1) },
        [Sensitive] = new() { Permits = 20, Period = TimeSpan.FromMinutes(1) },
        [Export] = new() { Permits = 3, Period = TimeSpan.FromHours(1) },
        [Admin] = new() { Permits = 300, Period = TimeSpan.FromMinutes(1) },
        [Public] = new() { Permits = 300, Period = TimeSpan.FromMinutes(1) },
    };

    private static RateLimitPolicy FewThenBlocked() => new()
    {
        Permits = 5,
        Period = TimeSpan.FromMinutes(15),
        Penalty = new() { Threshold = 1, FirstBlock = TimeSpan.FromMinutes(1), LongestBlock = TimeSpan.FromHours(1), Decay = TimeSpan.FromHours(2) },
    };
}
