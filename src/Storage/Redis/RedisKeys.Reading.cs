using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Maintenance.Storage.Caching;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.Redis;

/// <content>From a name to what it is.</content>
public sealed partial class RedisKeys
{
    /// <summary>Reads an invalidation: the key of an entry or of an epoch.</summary>
    internal bool TryParseCache(string? key, [NotNullWhen(true)] out CacheInvalidation? invalidation)
    {
        invalidation = null;
        if (key is null || !TryParse(key, out var parsed))
        {
            return false;
        }

        var name = key[Prefix.Length..];
        invalidation = parsed.Kind switch
        {
            StateKind.CacheEpoch => new CacheInvalidation(StateKind.Cache, parsed.User, null),
            StateKind.Profile => new CacheInvalidation(StateKind.Profile, parsed.User, ""),
            StateKind.Cache when name.Length > CacheHead.Length + TaggedLength + 1
                && UserReference.TryParseTagged(name.AsSpan(CacheHead.Length, TaggedLength), out var user) =>
                new CacheInvalidation(StateKind.Cache, user, name[(CacheHead.Length + TaggedLength + 1)..]),
            StateKind.Cache => new CacheInvalidation(StateKind.Cache, null, name[CacheHead.Length..]),
            _ => null,
        };
        return invalidation is not null;
    }

    /// <summary>Reads a key's name. False if it is not ours to the letter.</summary>
    public bool TryParse(ReadOnlySpan<char> key, out ParsedKey parsed)
    {
        parsed = default;
        if (!key.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        var name = key[Prefix.Length..];
        if (name.StartsWith(SessionHead, StringComparison.Ordinal))
        {
            return name.StartsWith(ActivityHead, StringComparison.Ordinal)
                ? TryUserAndId(name[ActivityHead.Length..], StateKind.SessionActivity, out parsed)
                : name.StartsWith(TombstoneHead, StringComparison.Ordinal)
                ? TryUserAndId(name[TombstoneHead.Length..], StateKind.SessionTombstone, out parsed)
                : TryUserAndId(name[SessionHead.Length..], StateKind.Session, out parsed);
        }

        if (name.StartsWith("user:", StringComparison.Ordinal))
        {
            return TryUser(name, IndexHead, StateKind.SessionIndex, out parsed)
                || TryUser(name, GenerationHead, StateKind.Generation, out parsed)
                || TryUser(name, ArchiveFenceHead, StateKind.ArchiveFence, out parsed)
                || TryUser(name, ProfileHead, StateKind.Profile, out parsed)
                || TryUser(name, CacheEpochHead, StateKind.CacheEpoch, out parsed)
                || TryUser(name, UserStatsHead, StateKind.UserStats, out parsed)
                || TryUser(name, UserDevicesHead, StateKind.UserDevices, out parsed)
                || TryUser(name, UserHistoryHead, StateKind.UserHistory, out parsed);
        }

        if (name.StartsWith(RefreshHead, StringComparison.Ordinal))
        {
            return TryUser(name, RefreshIndexHead, StateKind.RefreshTokenIndex, out parsed)
                || TryUserAndId(name[RefreshHead.Length..], StateKind.RefreshToken, out parsed);
        }

        return TryTail(name, ChallengeHead, StateKind.TwoFactorChallenge, out parsed)
            || TryUser(name, ChallengeIndexHead, StateKind.TwoFactorChallengeIndex, out parsed)
            || TryUser(name, TwoFactorUserHead, StateKind.TwoFactorUser, out parsed)
            || TryTail(name, ResetHead, StateKind.PasswordReset, out parsed)
            || TryUser(name, ResetIndexHead, StateKind.PasswordResetIndex, out parsed)
            || TryTail(name, VerificationHead, StateKind.EmailVerification, out parsed)
            || TryUser(name, VerificationIndexHead, StateKind.EmailVerificationIndex, out parsed)
            || TryTail(name, MagicLinkHead, StateKind.MagicLink, out parsed)
            || TryUser(name, MagicLinkIndexHead, StateKind.MagicLinkIndex, out parsed)
            || TryHashed(name, OAuthHead, StateKind.OAuthState, out parsed)
            || TryHashed(name, DenylistHead, StateKind.DenylistEntry, out parsed)
            || TryRateLimit(name, out parsed)
            || TryHashed(name, DataProtectionHead, StateKind.DataProtection, out parsed)
            || TryDay(name, DayLoginsHead, StateKind.DayLogins, out parsed)
            || TryDay(name, DayUsersHead, StateKind.DayUsers, out parsed)
            || TryOpaque(name, CacheHead, StateKind.Cache, out parsed)
            || TryOpaque(name, MaintenanceHead, StateKind.Maintenance, out parsed);
    }

    private static bool TryDay(ReadOnlySpan<char> name, string head, StateKind kind, out ParsedKey parsed)
    {
        parsed = new ParsedKey(kind, default, default);
        return name.StartsWith(head, StringComparison.Ordinal)
            && DateOnly.TryParseExact(name[head.Length..], DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
    }

    private static bool TryTail(ReadOnlySpan<char> name, string head, StateKind kind, out ParsedKey parsed)
    {
        parsed = default;
        return name.StartsWith(head, StringComparison.Ordinal) && TryUserAndId(name[head.Length..], kind, out parsed);
    }

    private static bool TryUser(ReadOnlySpan<char> name, string head, StateKind kind, out ParsedKey parsed)
    {
        parsed = default;
        if (!name.StartsWith(head, StringComparison.Ordinal) || !UserReference.TryParseTagged(name[head.Length..], out var user))
        {
            return false;
        }

        parsed = new ParsedKey(kind, user, default);
        return true;
    }

    private static bool TryUserAndId(ReadOnlySpan<char> tail, StateKind kind, out ParsedKey parsed)
    {
        parsed = default;
        if (tail.Length != TaggedLength + 1 + SessionId.Length
            || tail[TaggedLength] != ':'
            || !UserReference.TryParseTagged(tail[..TaggedLength], out var user)
            || !SessionId.TryParse(tail[(TaggedLength + 1)..], out var id))
        {
            return false;
        }

        parsed = new ParsedKey(kind, user, id);
        return true;
    }

    // The tail is a hash of 22 characters; anything else under the same head is another program's.
    private static bool TryHashed(ReadOnlySpan<char> name, string head, StateKind kind, out ParsedKey parsed)
    {
        parsed = new ParsedKey(kind, default, default);
        return name.StartsWith(head, StringComparison.Ordinal) && IsHash(name[head.Length..]);
    }

    private static bool IsHash(ReadOnlySpan<char> tail) => tail.Length == SessionId.Length && Base64UrlText.IsAlphabet(tail);

    private static bool TryOpaque(ReadOnlySpan<char> name, string head, StateKind kind, out ParsedKey parsed)
    {
        parsed = new ParsedKey(kind, default, default);
        return name.StartsWith(head, StringComparison.Ordinal) && name.Length > head.Length;
    }

    private static bool TryRateLimit(ReadOnlySpan<char> name, out ParsedKey parsed)
    {
        parsed = new ParsedKey(StateKind.RateLimit, default, default);
        if (!name.StartsWith(RateHead, StringComparison.Ordinal))
        {
            return false;
        }

        var tail = name[RateHead.Length..];
        var colon = tail.IndexOf(':');
        return colon > 0 && IsHash(tail[(colon + 1)..]);
    }
}
