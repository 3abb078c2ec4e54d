using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Denylist;

/// <summary>
/// Names a denied token without holding it: base64url of the first 16 bytes of SHA-256, 22 characters. A denial by <c>jti</c> is found by
/// <c>jti</c> only, one by the token's text by that text only.
/// </summary>
public readonly record struct DenylistId
{
    /// <summary>Longest token or <c>jti</c>, in bytes of UTF-8.</summary>
    public const int MaxTokenBytes = 64 * 1024;

    private readonly string? value;

    private DenylistId(string value) => this.value = value;

    /// <summary>The 22 characters; empty for the default value.</summary>
    public string Value => value ?? "";

    /// <summary>The id of a whole token, as it was sent after <c>Bearer</c>.</summary>
    /// <exception cref="ArgumentException">Empty, too long, or not valid Unicode.</exception>
    public static DenylistId OfToken(string token) => new(OpaqueId.Of(token, MaxTokenBytes));

    /// <summary>The id of a token that carries a name of its own: the claim <c>jti</c>.</summary>
    /// <exception cref="ArgumentException">Empty, too long, or not valid Unicode.</exception>
    public static DenylistId OfTokenId(string jti) => new(OpaqueId.Of(jti, MaxTokenBytes));

    /// <summary>Reads an id as it was stored: 22 characters of base64url.</summary>
    internal static bool TryParse(string? text, out DenylistId id)
    {
        var valid = text is { Length: Sessions.SessionId.Length } && Base64UrlText.IsAlphabet(text);
        id = valid ? new DenylistId(text!) : default;
        return valid;
    }

    /// <summary>The first 10 characters, for logs.</summary>
    public string ToLogString() => Value.Length > 10 ? Value[..10] : Value;

    /// <inheritdoc/>
    public override string ToString() => Value;
}
