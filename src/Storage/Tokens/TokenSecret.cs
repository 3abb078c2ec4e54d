using System.Buffers.Text;
using System.Security.Cryptography;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Tokens;

/// <summary>256 random bits in base64url, as clients hold them.</summary>
internal static class TokenSecret
{
    /// <summary>Characters of a secret.</summary>
    public const int Length = 43;

    private const int Bytes = 32;

    public static string Create()
    {
        Span<byte> secret = stackalloc byte[Bytes];
        RandomNumberGenerator.Fill(secret);
        return Base64Url.EncodeToString(secret);
    }

    public static bool IsSecret(ReadOnlySpan<char> text) => text.Length == Length && Base64UrlText.IsAlphabet(text);
}
