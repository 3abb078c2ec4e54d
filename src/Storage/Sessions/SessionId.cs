using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Sessions;

/// <summary>
/// Names a session without being able to use it: base64url of the first 16 bytes of SHA-256 of the token's secret, 22 characters.
/// May be shown in a session list.
/// </summary>
public readonly record struct SessionId
{
    /// <summary>Characters of an id.</summary>
    public const int Length = 22;

    private const int LoggedLength = 10;

    private readonly string? value;

    private SessionId(string value) => this.value = value;

    /// <summary>The 22 characters; empty for the default value.</summary>
    public string Value => value ?? "";

    /// <summary>Reads an id.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out SessionId id)
    {
        id = default;
        if (text.Length != Length || !Base64UrlText.IsAlphabet(text))
        {
            return false;
        }

        id = new SessionId(text.ToString());
        return true;
    }

    /// <summary>Reads an id.</summary>
    /// <exception cref="FormatException">Not 22 characters of base64url.</exception>
    public static SessionId Parse(string text) =>
        TryParse(text, out var id) ? id : throw new FormatException("A session id is 22 characters of base64url.");

    /// <summary>The first 10 characters, for logs.</summary>
    public string ToLogString() => Value.Length > LoggedLength ? Value[..LoggedLength] : Value;

    /// <inheritdoc/>
    public override string ToString() => Value;

    /// <summary>The id that belongs to a secret. The hash is over the secret's ASCII characters, so that no second spelling has the same id.</summary>
    internal static SessionId OfSecret(ReadOnlySpan<char> secret)
    {
        Span<byte> ascii = stackalloc byte[SessionToken.SecretLength];
        Encoding.ASCII.GetBytes(secret, ascii);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(ascii, hash);
        return new SessionId(Base64Url.EncodeToString(hash[..16]));
    }
}
