using System.Globalization;

namespace Maintenance.Storage.Redis;

/// <summary>A parsed <c>redis://</c> or <c>rediss://</c> URL. The client's own parser silently finds no endpoint in either.</summary>
internal sealed record RedisUrl(string Host, int Port, bool Tls, string? User, string? Password, int? Database)
{
    private const int DefaultPort = 6379;

    /// <summary>Parses <paramref name="text"/>; on failure <paramref name="error"/> says what is wrong and never repeats a password.</summary>
    public static bool TryParse(string text, out RedisUrl? url, out string? error)
    {
        url = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri))
        {
            error = "is not a URL; expected redis://[user[:password]@]host[:port][/database]";
            return false;
        }

        if (uri.Scheme is not ("redis" or "rediss"))
        {
            // Without "//" the scheme may be the start of a user and password.
            error = text.Contains("://", StringComparison.Ordinal)
                ? $"has the scheme '{uri.Scheme}'; expected redis or rediss"
                : "is not a URL; expected redis://[user[:password]@]host[:port][/database]";
            return false;
        }

        if (uri.Host.Length == 0)
        {
            error = "names no host";
            return false;
        }

        if (uri.Port == 0)
        {
            error = "names port 0; expected 1 to 65535";
            return false;
        }

        if (uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            error = "carries a query or fragment, which no setting here reads (a '?' or '#' in a password is written %3F or %23)";
            return false;
        }

        if (!TryReadDatabase(uri, out var database))
        {
            // Not repeated: after a '/' in a password this is the rest of it.
            error = "names a database that is not a number (a '/' in a password is written %2F)";
            return false;
        }

        var (user, password) = ReadUserInfo(uri.UserInfo);
        url = new RedisUrl(uri.IdnHost, uri.Port > 0 ? uri.Port : DefaultPort, uri.Scheme == "rediss", user, password, database);
        error = null;
        return true;
    }

    private static bool TryReadDatabase(Uri uri, out int? database)
    {
        database = null;
        var path = uri.AbsolutePath.Trim('/');
        if (path.Length == 0)
        {
            return true;
        }

        if (!int.TryParse(path, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        database = number;
        return true;
    }

    private static (string? User, string? Password) ReadUserInfo(string userInfo)
    {
        if (userInfo.Length == 0)
        {
            return (null, null);
        }

        var colon = userInfo.IndexOf(':', StringComparison.Ordinal);
        return colon < 0
            ? (Uri.UnescapeDataString(userInfo), null)
            : (NullIfEmpty(Uri.UnescapeDataString(userInfo[..colon])), NullIfEmpty(Uri.UnescapeDataString(userInfo[(colon + 1)..])));
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
