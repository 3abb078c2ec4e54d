using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.OAuth;

/// <summary>256 random bits as 43 characters of base64url: the value of <c>state</c>, and of a browser's nonce.</summary>
internal static class OAuthStateSecret
{
    public const int Length = 43;

    public static string Create()
    {
        Span<byte> secret = stackalloc byte[32];
        RandomNumberGenerator.Fill(secret);
        return Base64Url.EncodeToString(secret);
    }

    public static bool IsOne([NotNullWhen(true)] string? text) => text is { Length: Length } && Base64UrlText.IsAlphabet(text);

    /// <summary>The id under which a state is stored; the state cannot be told from it.</summary>
    public static string Id(string state) => OpaqueId.Of(state, Length);
}
