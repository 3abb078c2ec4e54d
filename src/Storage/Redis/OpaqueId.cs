using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Maintenance.Storage.Redis;

/// <summary>Names something in a key without telling it: base64url of the first 16 bytes of SHA-256 of its UTF-8 text, 22 characters.</summary>
internal static class OpaqueId
{
    /// <summary>Characters of an id.</summary>
    public const int Length = 22;

    // Throws on half a surrogate pair: replaced by U+FFFD, two different texts would be one.
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The id of a text.</summary>
    /// <exception cref="ArgumentException">The text is empty, longer than <paramref name="maxBytes"/> bytes of UTF-8, or not valid Unicode.</exception>
    public static string Of(string text, int maxBytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        var length = Strict.GetByteCount(text);
        if (length > maxBytes)
        {
            throw new ArgumentException($"At most {maxBytes} bytes of UTF-8 are taken; this takes {length}.", nameof(text));
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Strict.GetBytes(text), hash);
        return Base64Url.EncodeToString(hash[..16]);
    }
}
