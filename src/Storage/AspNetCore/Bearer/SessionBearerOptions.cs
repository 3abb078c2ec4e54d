using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;

namespace Maintenance.Storage.AspNetCore.Bearer;

/// <summary>Names that the bearer handler uses.</summary>
public static class SessionBearerDefaults
{
    /// <summary>The scheme's default name.</summary>
    public const string AuthenticationScheme = "SessionBearer";
}

/// <summary>How session tokens authenticate requests. Set in code, in <c>AddSessionBearer</c>.</summary>
public sealed class SessionBearerOptions : AuthenticationSchemeOptions
{
    /// <summary>
    /// Cookie that may hold the token when there is no <c>Authorization: Bearer</c> header; null, the default: none. Browsers send a cookie by
    /// themselves, so a host that sets one gives it <c>HttpOnly</c>, <c>Secure</c> and <c>SameSite</c>, and checks antiforgery tokens.
    /// </summary>
    public string? CookieName { get; set; }

    /// <summary>Type of the claim that holds the user id. Default <see cref="ClaimTypes.NameIdentifier"/>.</summary>
    public string UserIdClaimType { get; set; } = ClaimTypes.NameIdentifier;

    /// <summary>Type of the claim that holds the session id, which is not a secret. Default <c>sid</c>.</summary>
    public string SessionIdClaimType { get; set; } = "sid";

    /// <summary><c>Retry-After</c> of a 503, rounded up to whole seconds. Default 1 s.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        Check(!string.IsNullOrEmpty(UserIdClaimType), nameof(UserIdClaimType), "is empty");
        Check(!string.IsNullOrEmpty(SessionIdClaimType), nameof(SessionIdClaimType), "is empty");
        Check(RetryAfter > TimeSpan.Zero, nameof(RetryAfter), $"is {RetryAfter}; expected above 0");
        Check(CookieName is not { Length: 0 }, nameof(CookieName), "is empty; expected a name, or null for no cookie");
    }

    private static void Check(bool valid, string setting, string problem)
    {
        if (!valid)
        {
            throw new InvalidOperationException($"{nameof(SessionBearerOptions)}.{setting} {problem}.");
        }
    }
}
