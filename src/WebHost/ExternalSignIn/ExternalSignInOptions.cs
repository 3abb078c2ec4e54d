using System.Text.RegularExpressions;
using Maintenance.Storage.OAuth;
using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.ExternalSignIn;

/// <summary>Sign-in at other providers. Bound from <c>ExternalSignIn</c>.</summary>
internal sealed class ExternalSignInOptions
{
    public const string Section = "ExternalSignIn";

    /// <summary>Providers by name; the name is part of the URLs. None: the endpoints answer 404.</summary>
    public Dictionary<string, ExternalProviderOptions> Providers { get; set; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Scheme and host under which browsers reach this host, for example <c>https://auth.example.org</c>; part of the redirect URI that is registered
    /// at the provider. Required with a provider: a request's Host header is the client's word.
    /// </summary>
    public string? PublicOrigin { get; set; }

    /// <summary>Local path to which a browser goes when a sign-in fails, with <c>?error=</c>. Null, the default: it gets problem details.</summary>
    public string? ErrorPath { get; set; }

    /// <summary>Local path to which a browser goes when a second factor is needed, with the challenge in the fragment. Null, the default: it gets JSON.</summary>
    public string? TwoFactorPath { get; set; }

    /// <summary>Longest time for one answer of a provider. 1 s to 1 min; default 10 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Difference of clocks that is tolerated. 0 to 5 min; default 1 min.</summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a provider's metadata and keys are used before they are read again. 1 min to 24 h; default 1 h.</summary>
    public TimeSpan MetadataLife { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Least time between two readings of the keys because of a key that is not known. 1 s to 1 h; default 30 s.</summary>
    public TimeSpan KeyRefreshInterval { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>One provider. With <see cref="Authority"/> it speaks OpenID Connect; without, plain OAuth 2.0 by the endpoints named.</summary>
internal sealed class ExternalProviderOptions
{
    /// <summary>Shown to people; default the name.</summary>
    public string? DisplayName { get; set; }

    /// <summary>Issuer of OpenID Connect; its <c>/.well-known/openid-configuration</c> is read. HTTPS, except on loopback.</summary>
    public string? Authority { get; set; }

    /// <summary>Client id.</summary>
    public string ClientId { get; set; } = string.Empty;

    /// <summary>Client secret; none for a public client (PKCE is used always).</summary>
    public string? ClientSecret { get; set; }

    /// <summary>Scopes. Empty: <c>openid profile email</c> with an authority.</summary>
    public List<string> Scopes { get; set; } = [];

    /// <summary>Plain OAuth: where the browser goes.</summary>
    public string? AuthorizationEndpoint { get; set; }

    /// <summary>Plain OAuth: where the code is exchanged.</summary>
    public string? TokenEndpoint { get; set; }

    /// <summary>Plain OAuth: where the user is described.</summary>
    public string? UserInfoEndpoint { get; set; }

    /// <summary>Field of the user's id at the user-info endpoint. Default <c>sub</c> (GitHub: <c>id</c>).</summary>
    public string SubjectField { get; set; } = "sub";

    /// <summary>Field of the e-mail address. Default <c>email</c>.</summary>
    public string EmailField { get; set; } = "email";

    /// <summary>Field that says whether the provider has verified the address. Default <c>email_verified</c>. Absent means no.</summary>
    public string EmailVerifiedField { get; set; } = "email_verified";

    /// <summary>Field of the name. Default <c>name</c>.</summary>
    public string NameField { get; set; } = "name";

    /// <summary>Whether an existing account with the same address, verified on both sides, is linked without a sign-in to it first. Default true.</summary>
    public bool LinkByEmail { get; set; } = true;

    /// <summary>Whether a user who has no account gets one. Default true.</summary>
    public bool CreateAccounts { get; set; } = true;

    public bool IsOpenId => !string.IsNullOrEmpty(Authority);

    public IReadOnlyList<string> EffectiveScopes =>
        !IsOpenId ? Scopes
        : Scopes.Count == 0 ? ["openid", "profile", "email"]
        : Scopes.Contains("openid", StringComparer.Ordinal) ? Scopes
        : ["openid", .. Scopes];
}

/// <summary>Stops the start with the name of each wrong setting. A secret is never repeated.</summary>
internal sealed partial class ExternalSignInOptionsValidator : IValidateOptions<ExternalSignInOptions>
{
    public ValidateOptionsResult Validate(string? name, ExternalSignInOptions options)
    {
        var failures = new SettingFailures(ExternalSignInOptions.Section);
        failures.Check(IsWithin(options.Timeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)), "Timeout", $"is {options.Timeout}; expected 1 s to 1 minute");
        failures.Check(IsWithin(options.ClockSkew, TimeSpan.Zero, TimeSpan.FromMinutes(5)), "ClockSkew", $"is {options.ClockSkew}; expected 0 to 5 minutes");
        failures.Check(IsWithin(options.MetadataLife, TimeSpan.FromMinutes(1), TimeSpan.FromHours(24)), "MetadataLife", $"is {options.MetadataLife}; expected 1 minute to 24 hours");
        failures.Check(IsWithin(options.KeyRefreshInterval, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), "KeyRefreshInterval", $"is {options.KeyRefreshInterval}; expected 1 s to 1 hour");
        failures.Check(options.ErrorPath is null || ReturnUrls.IsLocal(options.ErrorPath), "ErrorPath", "is not a path on this host, for example /login");
        failures.Check(options.TwoFactorPath is null || ReturnUrls.IsLocal(options.TwoFactorPath), "TwoFactorPath", "is not a path on this host, for example /login/2fa");
        failures.Check(
            options.Providers.Count == 0 || (IsSecure(options.PublicOrigin) && new Uri(options.PublicOrigin!).PathAndQuery == "/"),
            "PublicOrigin",
            $"is '{options.PublicOrigin}'; a provider needs scheme and host of this host, for example https://auth.example.org (http only on loopback)");
        foreach (var (key, provider) in options.Providers)
        {
            var at = $"Providers:{key}";
            failures.Check(ProviderName().IsMatch(key), at, "has a name that is not 1 to 40 lower-case letters, digits and '-'");
            failures.Check(!string.IsNullOrWhiteSpace(provider.ClientId), $"{at}:ClientId", "is empty");
            failures.Check(provider.Scopes.TrueForAll(scope => scope.Length > 0 && !scope.Any(char.IsWhiteSpace)), $"{at}:Scopes", "holds an empty scope, or one with a space; one a list item");
            if (provider.IsOpenId)
            {
                failures.Check(IsSecure(provider.Authority), $"{at}:Authority", $"is '{provider.Authority}'; expected an https URL (http only on loopback)");
            }
            else
            {
                failures.Check(IsSecure(provider.AuthorizationEndpoint), $"{at}:AuthorizationEndpoint", "is no https URL; a provider needs an Authority, or the three endpoints of plain OAuth");
                failures.Check(IsSecure(provider.TokenEndpoint), $"{at}:TokenEndpoint", "is no https URL");
                failures.Check(IsSecure(provider.UserInfoEndpoint), $"{at}:UserInfoEndpoint", "is no https URL");
            }
        }

        return failures.Result;
    }

    /// <summary>An absolute https URL without credentials; http where nothing leaves the machine.</summary>
    public static bool IsSecure(string? url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && uri.UserInfo.Length == 0
        && uri.Fragment.Length == 0
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));

    private static bool IsWithin(TimeSpan value, TimeSpan least, TimeSpan most) => value >= least && value <= most;

    [GeneratedRegex("^[a-z0-9-]{1,40}$", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex ProviderName();
}
