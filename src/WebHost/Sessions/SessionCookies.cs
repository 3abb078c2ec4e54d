using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Sessions;

/// <summary>
/// Sets and removes a browser's cookies, and makes the antiforgery token that belongs to one. That token is derived from the session's: whoever does
/// not hold the session cannot make it, it changes with the session, and every host can check it without keys of its own.
/// </summary>
internal sealed class SessionCookies(IOptionsMonitor<SessionCookieOptions> options)
{
    private static readonly byte[] Purpose = Encoding.ASCII.GetBytes("maintenance antiforgery v1");

    public static string AntiforgeryTokenOf(string sessionToken) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(sessionToken), Purpose));

    public static bool IsAntiforgeryTokenOf(string sessionToken, string? sent) =>
        sent is { Length: > 0 and < 128 }
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(sent), Encoding.UTF8.GetBytes(AntiforgeryTokenOf(sessionToken)));

    public void Set(HttpResponse response, IssuedSession issued)
    {
        var current = options.CurrentValue;
        if (!current.Enabled)
        {
            return;
        }

        var expires = issued.Session.AbsoluteExpiresAt;
        response.Cookies.Append(SessionCookieOptions.Session, issued.Token.Value, Cookie(current, httpOnly: true, expires));
        response.Cookies.Append(SessionCookieOptions.Antiforgery, AntiforgeryTokenOf(issued.Token.Value), Cookie(current, httpOnly: false, expires));
    }

    public void Remove(HttpContext context)
    {
        foreach (var name in (string[])[SessionCookieOptions.Session, SessionCookieOptions.Antiforgery])
        {
            if (context.Request.Cookies.ContainsKey(name))
            {
                context.Response.Cookies.Delete(name, Cookie(options.CurrentValue, httpOnly: name == SessionCookieOptions.Session, expires: null));
            }
        }
    }

    private static CookieOptions Cookie(SessionCookieOptions options, bool httpOnly, DateTimeOffset? expires) => new()
    {
        Secure = true,
        HttpOnly = httpOnly,
        SameSite = options.SameSite,
        Path = "/",
        Expires = expires,
        IsEssential = true,
    };
}
