using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.SignIn;

/// <summary>Devices that have signed in with a password. Bound from <c>KnownDevices</c>.</summary>
internal sealed class KnownDeviceOptions
{
    public const string Section = "KnownDevices";

    /// <summary>Whether they are known again. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>How long after its last log-in a device is known. 1 h to 400 days, which is as long as browsers keep a cookie; default 180 days.</summary>
    public TimeSpan Life { get; set; } = TimeSpan.FromDays(180);
}

internal sealed class KnownDeviceOptionsValidator : IValidateOptions<KnownDeviceOptions>
{
    public ValidateOptionsResult Validate(string? name, KnownDeviceOptions options)
    {
        var failures = new SettingFailures(KnownDeviceOptions.Section);
        failures.Check(options.Life >= TimeSpan.FromHours(1) && options.Life <= TimeSpan.FromDays(400), "Life", $"is {options.Life}; expected 1 hour to 400 days");
        return failures.Result;
    }
}

/// <summary>A log-in that a device remembers.</summary>
/// <param name="UserId">Whose.</param>
/// <param name="Id">16 random bytes, new with every log-in: what the device's failures are counted by.</param>
/// <param name="Password">What the password's hash was, shortened: with another password the device is a stranger's.</param>
/// <param name="Until">When it is forgotten; whole seconds.</param>
internal sealed record KnownLogIn(Guid UserId, Guid Id, ReadOnlyMemory<byte> Password, DateTimeOffset Until)
{
    /// <summary>Name of the device's own limit.</summary>
    public string Subject => $"device:{UserId:N}:{Id:N}";
}

/// <summary>What a device is to keep.</summary>
/// <param name="Text">Encrypted and signed.</param>
/// <param name="Until">When it is forgotten; whole seconds.</param>
internal sealed record KnownDevice(string Text, DateTimeOffset Until);

/// <summary>
/// Knows a device again that has signed in to an account with its password (OWASP's device cookie), so that its failures are counted apart from
/// those of strangers, who then cannot keep an owner out. It proves nothing and opens nothing: the password is needed as ever, and a stolen one has few
/// tries. The text is encrypted and signed by data protection; anything else is as good as none.
/// </summary>
internal sealed class KnownDevices(
    IDataProtectionProvider protection,
    IOptionsMonitor<KnownDeviceOptions> options,
    IOptionsMonitor<SessionCookieOptions> cookies,
    TimeProvider clock,
    ILogger<KnownDevices> logger)
{
    /// <summary>Name of the cookie.</summary>
    public const string Cookie = "__Host-device";

    /// <summary>Longest text that is looked at.</summary>
    public const int MaxLength = 1024;

    // A family's computer; whoever signed in longest ago makes room.
    private const int MaxLogIns = 4;
    private const int PasswordBytes = 16;
    private const int EntryBytes = 16 + 16 + PasswordBytes + 8;
    private const byte Version = 1;

    private readonly IDataProtector protector = protection.CreateProtector("known-device");

    /// <summary>The log-ins that the caller's device remembers, in force or not for an account: <see cref="Find"/> says that. Empty: none.</summary>
    /// <param name="context">The request, for its cookie.</param>
    /// <param name="token">What a client without cookies kept; it comes first.</param>
    public IReadOnlyList<KnownLogIn> Read(HttpContext context, string? token)
    {
        var text = token ?? (cookies.CurrentValue.Enabled ? context.Request.Cookies[Cookie] : null);
        if (!options.CurrentValue.Enabled || text is not { Length: > 0 and <= MaxLength })
        {
            return [];
        }

        byte[] bytes;
        try
        {
            bytes = protector.Unprotect(WebEncoders.Base64UrlDecode(text));
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException)
        {
            return [];
        }

        var now = clock.GetUtcNow();
        return [.. Decode(bytes).Where(known => known.Until > now)];
    }

    /// <summary>The log-in of an account; null: the device is a stranger's to it.</summary>
    public static KnownLogIn? Find(IReadOnlyList<KnownLogIn> known, User? user) =>
        user?.PasswordHash is { } hash
        && known.FirstOrDefault(logIn => logIn.UserId == user.Id) is { } found
        && CryptographicOperations.FixedTimeEquals(found.Password.Span, Shortened(hash))
            ? found
            : null;

    /// <summary>Remembers that the caller knows the account's password: sets the cookie, and gives the same text to clients without cookies.</summary>
    /// <returns>Null: devices are not remembered, or the account has no password.</returns>
    public string? Remember(HttpContext context, User user, IReadOnlyList<KnownLogIn> before) => Give(context, Prepare(user, before));

    /// <summary>Makes the text, to be given when the log-in has come to its end.</summary>
    /// <returns>Null: devices are not remembered, or the account has no password.</returns>
    public KnownDevice? Prepare(User user, IReadOnlyList<KnownLogIn> before)
    {
        var settings = options.CurrentValue;
        if (!settings.Enabled || user.PasswordHash is not { } hash)
        {
            return null;
        }

        var until = DateTimeOffset.FromUnixTimeSeconds((clock.GetUtcNow() + settings.Life).ToUnixTimeSeconds());
        var latest = new KnownLogIn(user.Id, new Guid(RandomNumberGenerator.GetBytes(16)), Shortened(hash), until);
        try
        {
            return new KnownDevice(
                WebEncoders.Base64UrlEncode(protector.Protect(Encode([latest, .. before.Where(known => known.UserId != user.Id).Take(MaxLogIns - 1)]))), until);
        }
        catch (CryptographicException exception)
        {
            // The log-in stands; the device stays a stranger's until the next one.
            logger.DeviceNotRemembered(exception.Message);
            return null;
        }
    }

    /// <summary>Sets the cookie; the text.</summary>
    public string? Give(HttpContext context, KnownDevice? device)
    {
        if (device is not null && cookies.CurrentValue.Enabled)
        {
            // Only our own pages' requests to sign in need it, so no other site's request carries it.
            context.Response.Cookies.Append(
                Cookie, device.Text, new CookieOptions { Secure = true, HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/", Expires = device.Until, IsEssential = true });
        }

        return device?.Text;
    }

    private static byte[] Shortened(string passwordHash) => SHA256.HashData(Encoding.UTF8.GetBytes(passwordHash))[..PasswordBytes];

    private static byte[] Encode(IReadOnlyList<KnownLogIn> known)
    {
        var bytes = new byte[1 + (known.Count * EntryBytes)];
        bytes[0] = Version;
        for (var i = 0; i < known.Count; i++)
        {
            var entry = bytes.AsSpan(1 + (i * EntryBytes), EntryBytes);
            known[i].UserId.TryWriteBytes(entry);
            known[i].Id.TryWriteBytes(entry[16..]);
            known[i].Password.Span.CopyTo(entry[32..]);
            BinaryPrimitives.WriteInt64BigEndian(entry[^8..], known[i].Until.ToUnixTimeSeconds());
        }

        return bytes;
    }

    private static IEnumerable<KnownLogIn> Decode(byte[] bytes)
    {
        if (bytes is not [Version, ..] || (bytes.Length - 1) % EntryBytes != 0)
        {
            yield break;
        }

        for (var at = 1; at < bytes.Length; at += EntryBytes)
        {
            var entry = bytes.AsMemory(at, EntryBytes);
            yield return new KnownLogIn(
                new Guid(entry.Span[..16]),
                new Guid(entry.Span[16..32]),
                entry[32..^8],
                DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(entry.Span[^8..])));
        }
    }
}
