using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Maintenance.Storage.Redis;

/// <summary>
/// Stands for a user in key names and tokens: base64url of the first 12 bytes of SHA-256 of the UTF-8 user id, 16 characters.
/// In a key its first two characters are the hash tag, so that all of a user's keys share a cluster slot.
/// </summary>
public readonly record struct UserReference
{
    /// <summary>Characters of a reference.</summary>
    public const int Length = 16;

    /// <summary>Longest user id, in bytes of UTF-8.</summary>
    public const int MaxUserIdBytes = 256;

    // Throws on half a surrogate pair: replaced by U+FFFD, two different ids would be one user.
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string? value;

    private UserReference(string value) => this.value = value;

    /// <summary>The 16 characters; empty for the default value.</summary>
    public string Value => value ?? "";

    /// <summary>The reference of a user.</summary>
    /// <exception cref="ArgumentException">The id is empty, longer than <see cref="MaxUserIdBytes"/>, or not valid Unicode.</exception>
    public static UserReference Of(string userId)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        var length = Strict.GetByteCount(userId);
        if (length > MaxUserIdBytes)
        {
            throw new ArgumentException($"A user id may take {MaxUserIdBytes} bytes of UTF-8; this one takes {length}.", nameof(userId));
        }

        Span<byte> bytes = stackalloc byte[length];
        Strict.GetBytes(userId, bytes);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return new UserReference(Base64Url.EncodeToString(hash[..12]));
    }

    /// <summary>Reads a reference as it stands in a token.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out UserReference reference)
    {
        reference = default;
        if (text.Length != Length || !Base64UrlText.IsAlphabet(text))
        {
            return false;
        }

        reference = new UserReference(text.ToString());
        return true;
    }

    /// <summary>Reads a reference as it stands in a key: <c>{Ab}cD3f...</c>, 18 characters.</summary>
    public static bool TryParseTagged(ReadOnlySpan<char> text, out UserReference reference)
    {
        reference = default;
        if (text.Length != Length + 2 || text[0] != '{' || text[3] != '}')
        {
            return false;
        }

        Span<char> plain = stackalloc char[Length];
        text.Slice(1, 2).CopyTo(plain);
        text[4..].CopyTo(plain[2..]);
        return TryParse(plain, out reference);
    }

    /// <summary>As it stands in a key: with its hash tag.</summary>
    public string ToTagged() => string.Create(Length + 2, Value, static (span, value) =>
    {
        span[0] = '{';
        value.AsSpan(0, 2).CopyTo(span[1..]);
        span[3] = '}';
        value.AsSpan(2).CopyTo(span[4..]);
    });

    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>The alphabet of RFC 4648, section 5.</summary>
internal static class Base64UrlText
{
    private static readonly System.Buffers.SearchValues<char> Alphabet =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    public static bool IsAlphabet(ReadOnlySpan<char> text) => text.IndexOfAnyExcept(Alphabet) < 0;
}
