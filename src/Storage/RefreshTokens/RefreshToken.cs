using System.Diagnostics.CodeAnalysis;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.RefreshTokens;

/// <summary>
/// What a client holds: <c>&lt;user reference&gt;.&lt;family id&gt;.&lt;secret&gt;</c>, 83 characters. The secret is 256 random bits, stored only as a hash.
/// <see cref="ToString"/> hides it; <see cref="Value"/> reveals it.
/// </summary>
public sealed class RefreshToken
{
    /// <summary>Characters of a whole token.</summary>
    public const int Length = UserReference.Length + 1 + TokenId.Length + 1 + TokenSecret.Length;

    private const int SecretStart = UserReference.Length + 1 + TokenId.Length + 1;

    private RefreshToken(string value, UserReference user, TokenId familyId)
    {
        Value = value;
        User = user;
        FamilyId = familyId;
        Hash = TokenId.OfSecret(value[SecretStart..]);
    }

    /// <summary>The secret text. Give it to the client and keep it nowhere.</summary>
    public string Value { get; }

    /// <summary>The user that the token claims; a rotation proves it.</summary>
    public UserReference User { get; }

    /// <summary>The family; stays the same from rotation to rotation.</summary>
    public TokenId FamilyId { get; }

    internal TokenId Hash { get; }

    /// <summary>Reads what a client sent. False for anything that this library cannot have issued.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out RefreshToken? token)
    {
        token = null;
        if (text is not { Length: Length }
            || text[UserReference.Length] != '.'
            || text[SecretStart - 1] != '.'
            || !UserReference.TryParse(text.AsSpan(0, UserReference.Length), out var user)
            || !TokenId.TryParse(text.AsSpan(UserReference.Length + 1, TokenId.Length), out var family)
            || !TokenSecret.IsSecret(text.AsSpan(SecretStart)))
        {
            return false;
        }

        token = new RefreshToken(text, user, family);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{User.Value}.{FamilyId.Value}.(secret of {Hash.ToLogString()})";

    internal static RefreshToken Create(UserReference user, TokenId family) => new($"{user.Value}.{family.Value}.{TokenSecret.Create()}", user, family);
}
