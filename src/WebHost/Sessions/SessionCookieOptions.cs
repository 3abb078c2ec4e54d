using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Sessions;

/// <summary>The cookie that holds a browser's session token. Bound from <c>Cookies</c>.</summary>
internal sealed class SessionCookieOptions
{
    public const string Section = "Cookies";

    /// <summary>Name of the session's cookie: Secure, for this host only, out of reach of scripts.</summary>
    public const string Session = "__Host-session";

    /// <summary>Name of the cookie that holds the antiforgery token, which scripts read.</summary>
    public const string Antiforgery = "__Host-antiforgery";

    /// <summary>Whether signing in sets cookies. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary><c>Lax</c>, the default, or <c>Strict</c>.</summary>
    public SameSiteMode SameSite { get; set; } = SameSiteMode.Lax;
}

internal sealed class SessionCookieOptionsValidator : IValidateOptions<SessionCookieOptions>
{
    public ValidateOptionsResult Validate(string? name, SessionCookieOptions options)
    {
        var failures = new SettingFailures(SessionCookieOptions.Section);
        failures.Check(options.SameSite is SameSiteMode.Lax or SameSiteMode.Strict, "SameSite", $"is {options.SameSite}; expected Lax or Strict");
        return failures.Result;
    }
}
