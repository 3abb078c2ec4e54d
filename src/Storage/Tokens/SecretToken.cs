using System.Diagnostics.CodeAnalysis;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Tokens;

/// <summary>
/// What a client holds of a one-time token or a challenge: <c>&lt;user reference&gt;.&lt;secret&gt;</c>, 60 characters of base64url and one dot, fit for a link.
/// The secret is stored nowhere. <see cref="ToString"/> hides it; <see cref="Value"/> reveals it.
/// </summary>
public sealed class SecretToken
{
    /// <summary>Characters of a whole token.</summary>
    public const int Length = UserReference.Length + 1 + TokenSecret.Length;

    private SecretToken(string value, UserReference user)
    {
        Value = value;
        User = user;
        Id = TokenId.OfSecret(Secret);
    }

    /// <summary>The secret text. Give it to the client and keep it nowhere.</summary>
    public string Value { get; }

    /// <summary>The user that the token claims; redeeming proves it.</summary>
    public UserReference User { get; }

    /// <summary>The id under which it is stored.</summary>
    public TokenId Id { get; }

    internal string Secret => Value[(UserReference.Length + 1)..];

    /// <summary>Reads what a client sent. False for anything that this library cannot have issued.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out SecretToken? token)
    {
        token = null;
        if (text is not { Length: Length }
            || text[UserReference.Length] != '.'
            || !UserReference.TryParse(text.AsSpan(0, UserReference.Length), out var user)
            || !TokenSecret.IsSecret(text.AsSpan(UserReference.Length + 1)))
        {
            return false;
        }

        token = new SecretToken(text, user);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{User.Value}.(secret of {Id.ToLogString()})";

    internal static SecretToken Create(UserReference user) => new($"{user.Value}.{TokenSecret.Create()}", user);
}
