using Maintenance.Storage.Redis;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.OneTimeTokens;

/// <summary>What a one-time token is for. A token of one purpose is nothing to another.</summary>
public enum OneTimePurpose
{
    /// <summary>Sets a new password. Redeem it through <see cref="PasswordReset"/>, which ends the user's sessions too.</summary>
    PasswordReset,

    /// <summary>Proves that an e-mail address is the user's.</summary>
    EmailVerification,

    /// <summary>Logs in without a password.</summary>
    MagicLink,
}

/// <summary>A stored one-time token. All times are the store's clock, in whole milliseconds.</summary>
public sealed record OneTimeToken
{
    /// <summary>Bytes of UTF-8 that <see cref="Data"/> may take.</summary>
    public const int MaxDataBytes = 1024;

    /// <summary>Names the token; not a secret.</summary>
    public required TokenId Id { get; init; }

    /// <summary>What it is for.</summary>
    public required OneTimePurpose Purpose { get; init; }

    /// <summary>Whose it is.</summary>
    public required string UserId { get; init; }

    /// <summary>What the host stored with it: the address to verify, the page to return to. Empty if nothing.</summary>
    public required string Data { get; init; }

    /// <summary>When it was issued.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it ends unused.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>A token just issued.</summary>
/// <param name="Token">Send it to the user; it cannot be recovered.</param>
/// <param name="Stored">What was stored.</param>
/// <param name="EvictedTokens">Older tokens of the same purpose that had to leave because of the cap.</param>
public sealed record IssuedOneTimeToken(SecretToken Token, OneTimeToken Stored, int EvictedTokens);

/// <summary>The answer to a redemption or a look.</summary>
/// <param name="Token">What was stored; null if denied.</param>
/// <param name="Denial">Why not.</param>
public sealed record OneTimeRedemption(OneTimeToken? Token, TokenDenial Denial = TokenDenial.None)
{
    /// <summary>Whether the token was accepted.</summary>
    public bool IsAccepted => Token is not null;

    internal static OneTimeRedemption Denied(TokenDenial denial) => new(null, denial);
}

/// <summary>Facts about the purposes.</summary>
internal static class OneTimePurposes
{
    public static IReadOnlyList<OneTimePurpose> All { get; } = Enum.GetValues<OneTimePurpose>();

    public static StateKind Kind(this OneTimePurpose purpose) => purpose switch
    {
        OneTimePurpose.PasswordReset => StateKind.PasswordReset,
        OneTimePurpose.EmailVerification => StateKind.EmailVerification,
        OneTimePurpose.MagicLink => StateKind.MagicLink,
        _ => throw new ArgumentOutOfRangeException(nameof(purpose), purpose, "Not a purpose of one-time tokens."),
    };
}
