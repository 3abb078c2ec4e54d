using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.TwoFactor;

namespace Maintenance.Storage.Tokens;

/// <summary>
/// A kind of token that is valid only while its index names it: its two kinds of key, and the shortest record. What lists, repairs, exports and
/// erases tokens goes through <see cref="All"/>.
/// </summary>
public sealed class TokenKind
{
    private readonly Func<RedisKeys, UserReference, string> index;
    private readonly Func<RedisKeys, UserReference, string> prefix;

    private TokenKind(
        string keyspace,
        StateKind record,
        StateKind indexKind,
        int shortestRecord,
        Func<RedisKeys, UserReference, string> index,
        Func<RedisKeys, UserReference, string> prefix)
    {
        (Keyspace, Record, IndexKind, ShortestRecord, this.index, this.prefix) = (keyspace, record, indexKind, shortestRecord, index, prefix);
    }

    /// <summary>Refresh families, challenges, and the three purposes of one-time tokens.</summary>
    public static IReadOnlyList<TokenKind> All { get; } =
    [
        new(
            "refresh_tokens", StateKind.RefreshToken, StateKind.RefreshTokenIndex, RefreshFamilyFormat.Shortest,
            static (keys, user) => keys.RefreshIndex(user), static (keys, user) => keys.RefreshFamiliesOf(user)),
        new(
            "two_factor_challenges", StateKind.TwoFactorChallenge, StateKind.TwoFactorChallengeIndex, ChallengeFormat.Shortest,
            static (keys, user) => keys.ChallengeIndex(user), static (keys, user) => keys.ChallengesOf(user)),
        OneTime("password_resets", StateKind.PasswordReset, StateKind.PasswordResetIndex),
        OneTime("email_verifications", StateKind.EmailVerification, StateKind.EmailVerificationIndex),
        OneTime("magic_links", StateKind.MagicLink, StateKind.MagicLinkIndex),
    ];

    /// <summary>The value of the metrics' label <c>keyspace</c>.</summary>
    public string Keyspace { get; }

    /// <summary>The kind of its records' keys.</summary>
    public StateKind Record { get; }

    /// <summary>The kind of its indexes' keys.</summary>
    public StateKind IndexKind { get; }

    /// <summary>Bytes of the shortest record.</summary>
    public int ShortestRecord { get; }

    /// <summary>The kind whose records have keys of this kind; null if there is none.</summary>
    public static TokenKind? OfRecord(StateKind kind) => All.FirstOrDefault(token => token.Record == kind);

    /// <summary>The kind whose indexes have keys of this kind; null if there is none.</summary>
    public static TokenKind? OfIndex(StateKind kind) => All.FirstOrDefault(token => token.IndexKind == kind);

    /// <summary>The key of a user's index.</summary>
    public string Index(RedisKeys keys, UserReference user) => index(keys, user);

    /// <summary>What the names of a user's records begin with, colon included.</summary>
    public string Prefix(RedisKeys keys, UserReference user) => prefix(keys, user);

    private static TokenKind OneTime(string keyspace, StateKind record, StateKind indexKind) => new(
        keyspace, record, indexKind, OneTimeTokenFormat.Shortest,
        (keys, user) => keys.OneTimeIndex(record, user), (keys, user) => keys.OneTimeTokensOf(record, user));
}
