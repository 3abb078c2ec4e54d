using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.OAuth;

/// <summary>How OAuth states live. Bound from <c>Storage:OAuth</c>.</summary>
public sealed class OAuthStateOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage:OAuth";

    /// <summary>Time to come back from the provider. 10 s to 24 h; default 10 min.</summary>
    public TimeSpan Life { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Largest content of a state, in bytes of its JSON. 256 to 65,536; default 8,192.</summary>
    public int MaxBytes { get; set; } = 8192;

    /// <summary>
    /// How long <see cref="OAuthStateDataFormat"/> blocks its thread at most, because the framework's interface is synchronous. Default 2 s; Redis's own
    /// deadline normally ends the wait before.
    /// </summary>
    public TimeSpan HandlerDeadline { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Which return URLs may be kept. Default: <see cref="ReturnUrls.IsLocal"/>. Set in code.</summary>
    public Func<string, bool> IsReturnUrlAllowed { get; set; } = ReturnUrls.IsLocal;
}

/// <summary>Where a log-in may lead.</summary>
public static class ReturnUrls
{
    /// <summary>Longest URL that counts as local, in characters.</summary>
    public const int MaxLength = 2048;

    /// <summary>
    /// Whether a URL stays on this host whatever browser reads it: a path from the root, not <c>//</c>, not <c>/\</c>, and nothing but printable ASCII,
    /// because a server refuses to send any other character in a header. <see cref="ToAscii"/> makes one of a path that people read.
    /// </summary>
    public static bool IsLocal(string url) =>
        url is ['/', ..]
        && url.Length <= MaxLength
        && (url.Length == 1 || url[1] is not ('/' or '\\'))
        && !url.Any(IsRefused);

    /// <summary>The same URL with each character beyond ASCII as browsers send it, percent-encoded UTF-8. What is ASCII, escapes included, stays as it is.</summary>
    public static string ToAscii(string url)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (Ascii.IsValid(url))
        {
            return url;
        }

        var ascii = new StringBuilder(url.Length + 16);
        foreach (var b in Encoding.UTF8.GetBytes(url))
        {
            _ = b < 0x80 ? ascii.Append((char)b) : ascii.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }

        return ascii.ToString();
    }

    private static bool IsRefused(char c) => c is < ' ' or > '~';
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class OAuthStateOptionsValidator : IValidateOptions<OAuthStateOptions>
{
    public ValidateOptionsResult Validate(string? name, OAuthStateOptions options)
    {
        var failures = new List<string>();
        void Check(bool valid, string setting, string problem)
        {
            if (!valid)
            {
                failures.Add($"{OAuthStateOptions.Section}:{setting} {problem}.");
            }
        }

        Check(options.Life >= TimeSpan.FromSeconds(10) && options.Life <= TimeSpan.FromHours(24), "Life", $"is {options.Life}; expected 10 s to 24 h");
        Check(options.MaxBytes is >= 256 and <= 65_536, "MaxBytes", $"is {options.MaxBytes}; expected 256 to 65536");
        Check(options.HandlerDeadline > TimeSpan.Zero && options.HandlerDeadline <= TimeSpan.FromMinutes(1), "HandlerDeadline", $"is {options.HandlerDeadline}; expected above 0 and at most 1 minute");
        Check(options.IsReturnUrlAllowed is not null, "IsReturnUrlAllowed", "is null");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
