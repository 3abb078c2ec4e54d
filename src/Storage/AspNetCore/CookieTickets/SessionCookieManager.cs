using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;

namespace Maintenance.Storage.AspNetCore.CookieTickets;

/// <summary>Puts the session's present key into the cookie that the handler writes, or leaves the browser's cookie as it is.</summary>
internal sealed class SessionCookieManager(ICookieManager inner, CookieAuthenticationOptions options, string scheme) : ICookieManager
{
    // Of the framework's handler: the one claim of the ticket in the cookie.
    private const string KeyClaim = "Microsoft.AspNetCore.Authentication.Cookies-SessionId";

    /// <inheritdoc/>
    public string? GetRequestCookie(HttpContext context, string key) => inner.GetRequestCookie(context, key);

    /// <inheritdoc/>
    public void DeleteCookie(HttpContext context, string key, CookieOptions cookieOptions) => inner.DeleteCookie(context, key, cookieOptions);

    /// <inheritdoc/>
    public void AppendResponseCookie(HttpContext context, string key, string? value, CookieOptions cookieOptions)
    {
        ArgumentNullException.ThrowIfNull(context);
        var change = TicketChange.Of(context, scheme);
        if (key != options.Cookie.Name || value is null)
        {
            inner.AppendResponseCookie(context, key, value, cookieOptions);
        }
        else if (!change.Silent)
        {
            inner.AppendResponseCookie(context, key, change.Key is { } next ? WithKey(value, next) : value, cookieOptions);
        }
    }

    private string WithKey(string value, string next)
    {
        var ticket = options.TicketDataFormat.Unprotect(value)
            ?? throw new InvalidOperationException($"The cookie of '{scheme}' cannot be read back, so its session's new key cannot be put into it.");
        var claims = ticket.Principal.Claims.Select(claim =>
            claim.Type == KeyClaim ? new Claim(KeyClaim, next, ClaimValueTypes.String, claim.Issuer) : claim);
        var principal = new ClaimsPrincipal(new ClaimsIdentity(claims, ticket.Principal.Identity?.AuthenticationType));
        return options.TicketDataFormat.Protect(new AuthenticationTicket(principal, ticket.Properties, ticket.AuthenticationScheme));
    }
}
