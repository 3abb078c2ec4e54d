using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Maintenance.Worker.Hosting;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Status.Page;

/// <summary>
/// Who gave the token stays signed in by a cookie: a random name and an end, signed with a key made of the token. So every replica knows it, no replica
/// keeps it, and a new token ends it. A form carries a second signature of the same name, which another site cannot have.
/// </summary>
internal sealed class PageSession(ManagementToken token, IOptionsMonitor<ManagementOptions> options, TimeProvider timeProvider)
{
    public const string Cookie = "maintenance-page";

    private const string CookiePurpose = "status page cookie 1";
    private const string FormPurpose = "status page form 1";
    private const int NameBytes = 16;
    private const int EndBytes = 8;

    /// <summary>The session of a request; null if it carries none that is valid.</summary>
    public SignedIn? Read(HttpRequest request)
    {
        var now = timeProvider.GetUtcNow();
        if (token.Key(CookiePurpose) is not { } key
            || !TryDecode(request.Cookies[Cookie], out var content)
            || !CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(key, content.AsSpan(0, NameBytes + EndBytes)), content.AsSpan(NameBytes + EndBytes)))
        {
            return null;
        }

        var end = BinaryPrimitives.ReadInt64BigEndian(content.AsSpan(NameBytes));
        return end > now.ToUnixTimeSeconds()
            ? new SignedIn(FormToken(content.AsSpan(0, NameBytes)))
            : null;
    }

    /// <summary>Whether the form of a signed-in page carries what that page gave it.</summary>
    public bool IsOwn(SignedIn session, string? formToken) =>
        formToken is not null && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(session.FormToken), Encoding.UTF8.GetBytes(formToken));

    /// <summary>Signs a browser in, if this is the token.</summary>
    public TokenAnswer SignIn(HttpContext context, string given)
    {
        var answer = token.Check(context, given);
        if (answer != TokenAnswer.Right)
        {
            return answer;
        }

        if (token.Key(CookiePurpose) is not { } key)
        {
            // The setting was emptied this instant.
            return TokenAnswer.Wrong;
        }

        var life = options.CurrentValue.SignInLife;
        var content = new byte[NameBytes + EndBytes + HMACSHA256.HashSizeInBytes];
        RandomNumberGenerator.Fill(content.AsSpan(0, NameBytes));
        BinaryPrimitives.WriteInt64BigEndian(content.AsSpan(NameBytes), (timeProvider.GetUtcNow() + life).ToUnixTimeSeconds());
        HMACSHA256.HashData(key, content.AsSpan(0, NameBytes + EndBytes), content.AsSpan(NameBytes + EndBytes));
        context.Response.Cookies.Append(Cookie, Base64Url.EncodeToString(content), Settings(context, life));
        return TokenAnswer.Right;
    }

    /// <summary>Takes the cookie back.</summary>
    public static void SignOut(HttpContext context) => context.Response.Cookies.Delete(Cookie, Settings(context, null));

    private static CookieOptions Settings(HttpContext context, TimeSpan? life) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        // A proxy that ends TLS says so; whoever lies about it only keeps the cookie from himself.
        Secure = context.Request.IsHttps || context.Request.Headers["X-Forwarded-Proto"].ToString().StartsWith("https", StringComparison.OrdinalIgnoreCase),
        Path = "/",
        MaxAge = life,
    };

    private static bool TryDecode(string? text, out byte[] content)
    {
        content = new byte[NameBytes + EndBytes + HMACSHA256.HashSizeInBytes];
        return text is not null
            && text.Length == Base64Url.GetEncodedLength(content.Length)
            && Base64Url.IsValid(text)
            && Base64Url.TryDecodeFromChars(text, content, out var written)
            && written == content.Length;
    }

    private string FormToken(ReadOnlySpan<byte> name) => Base64Url.EncodeToString(HMACSHA256.HashData(token.Key(FormPurpose)!, name));
}

/// <summary>A browser that gave the token.</summary>
/// <param name="FormToken">What its forms must carry.</param>
public sealed record SignedIn(string FormToken);
