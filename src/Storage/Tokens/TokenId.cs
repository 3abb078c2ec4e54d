using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Tokens;

/// <summary>
/// Names a refresh family, a one-time token or a challenge without being able to use it: 16 bytes in base64url, 22 characters. Random for a family,
/// else the start of the SHA-256 of the token's secret.
/// </summary>
public readonly record struct TokenId
{
    /// <summary>Characters of an id.</summary>
    public const int Length = 22;

    private const int Bytes = 16;
    private const int LoggedLength = 10;

    private readonly string? value;

    private TokenId(string value) => this.value = value;

    /// <summary>The 22 characters; empty for the default value.</summary>
    public string Value => value ?? "";

    /// <summary>Reads an id.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TokenId id)
    {
        id = default;
        if (text.Length != Length || !Base64UrlText.IsAlphabet(text))
        {
            return false;
        }

        id = new TokenId(text.ToString());
        return true;
    }

    /// <summary>The first 10 characters, for logs.</summary>
    public string ToLogString() => Value.Length > LoggedLength ? Value[..LoggedLength] : Value;

    /// <inheritdoc/>
    public override string ToString() => Value;

    /// <summary>A new id that belongs to no secret.</summary>
    internal static TokenId Random()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        RandomNumberGenerator.Fill(bytes);
        return new TokenId(Base64Url.EncodeToString(bytes));
    }

    /// <summary>The id of a secret. The hash is over its characters, not over what they encode, so that no second spelling has the same id.</summary>
    internal static TokenId OfSecret(string secret)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(secret), hash);
        return new TokenId(Base64Url.EncodeToString(hash[..Bytes]));
    }
}
