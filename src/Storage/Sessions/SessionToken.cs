using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Sessions;

/// <summary>
/// What the client holds: <c>&lt;user reference&gt;.&lt;secret&gt;</c>, 60 characters. The secret is 256 random bits in base64url and is stored nowhere.
/// <see cref="ToString"/> hides it, so that a token cannot slip into a log; <see cref="Value"/> reveals it.
/// </summary>
public sealed class SessionToken
{
    /// <summary>Characters of the secret.</summary>
    public const int SecretLength = 43;

    /// <summary>Characters of a whole token.</summary>
    public const int Length = UserReference.Length + 1 + SecretLength;

    private const int SecretBytes = 32;

    private SessionToken(string value, UserReference user)
    {
        Value = value;
        User = user;
        Id = SessionId.OfSecret(value.AsSpan(UserReference.Length + 1));
    }

    /// <summary>The secret text. Give it to the client and keep it nowhere.</summary>
    public string Value { get; }

    /// <summary>The user that the token claims; a validation proves it.</summary>
    public UserReference User { get; }

    /// <summary>The id under which the session is stored.</summary>
    public SessionId Id { get; }

    /// <summary>A new token for a user.</summary>
    public static SessionToken Create(UserReference user)
    {
        Span<byte> secret = stackalloc byte[SecretBytes];
        RandomNumberGenerator.Fill(secret);
        return new SessionToken($"{user.Value}.{Base64Url.EncodeToString(secret)}", user);
    }

    /// <summary>Reads what a client sent. False for anything that this library cannot have issued.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out SessionToken? token)
    {
        token = null;
        if (text is not { Length: Length }
            || text[UserReference.Length] != '.'
            || !UserReference.TryParse(text.AsSpan(0, UserReference.Length), out var user)
            || !Base64UrlText.IsAlphabet(text.AsSpan(UserReference.Length + 1)))
        {
            return false;
        }

        token = new SessionToken(text, user);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{User.Value}.(secret of {Id.ToLogString()})";
}
