using System.Globalization;
using Maintenance.Storage.Caching;
using Maintenance.Storage.Denylist;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.Redis;

/// <summary>
/// The only place that knows a key's shape. Building and reading follow one strict grammar: a name that does not match it exactly is not ours,
/// is never touched, and is counted as foreign.
/// </summary>
public sealed partial class RedisKeys
{
    private const string SessionHead = "session:";
    private const string ActivityHead = "session:activity:";
    private const string TombstoneHead = "session:ended:";
    private const string IndexHead = "user:sessions:";
    private const string GenerationHead = "user:generation:";
    private const string ArchiveFenceHead = "user:fence:";
    private const string RefreshHead = "auth:refresh:";
    private const string RefreshIndexHead = "auth:refresh:user:";
    private const string ChallengeHead = "2fa:challenge:";
    private const string ChallengeIndexHead = "2fa:challenge:user:";
    private const string TwoFactorUserHead = "2fa:user:";
    private const string ResetHead = "pwd:reset:";
    private const string ResetIndexHead = "pwd:reset:user:";
    private const string VerificationHead = "email:verify:";
    private const string VerificationIndexHead = "email:verify:user:";
    private const string MagicLinkHead = "magic:link:";
    private const string MagicLinkIndexHead = "magic:link:user:";
    private const string OAuthHead = "oauth:state:";
    private const string DenylistHead = "blacklist:";
    private const string RateHead = "rate:limit:";
    private const string ProfileHead = "user:profile:";
    private const string CacheHead = "cache:";
    private const string CacheEpochHead = "user:cache:";
    private const string DataProtectionHead = "dataprotection:";
    private const string UserStatsHead = "user:stats:";
    private const string UserDevicesHead = "user:devices:";
    private const string UserHistoryHead = "user:history:";
    private const string DayLoginsHead = "stats:logins:";
    private const string DayUsersHead = "stats:users:";
    private const string MaintenanceHead = "maintenance:";
    private const int TaggedLength = UserReference.Length + 2;
    private const string DayFormat = "'{'yyyy-MM-dd'}'";

    /// <summary>Creates the grammar for a prefix; empty is allowed.</summary>
    /// <exception cref="ArgumentException">The prefix holds a brace.</exception>
    public RedisKeys(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        if (prefix.AsSpan().IndexOfAny('{', '}') >= 0)
        {
            throw new ArgumentException("A key prefix may not hold braces, because they would move the hash tag.", nameof(prefix));
        }

        Prefix = prefix;
    }

    /// <summary>What stands in front of every key.</summary>
    public string Prefix { get; }

    /// <summary>The record of a session.</summary>
    public string Session(UserReference user, SessionId id) => SessionsOf(user) + id.Value;

    /// <summary>What the names of all of a user's session records begin with, colon included.</summary>
    public string SessionsOf(UserReference user) => $"{Prefix}{SessionHead}{user.ToTagged()}:";

    /// <summary>The sorted set of a user's session ids, scored by expiry in milliseconds since 1970.</summary>
    public string SessionIndex(UserReference user) => $"{Prefix}{IndexHead}{user.ToTagged()}";

    /// <summary>The user's generation.</summary>
    public string Generation(UserReference user) => $"{Prefix}{GenerationHead}{user.ToTagged()}";

    /// <summary>Says for a while that a session has ended, so that nothing brings it back from the archive.</summary>
    public string SessionTombstone(UserReference user, SessionId id) => SessionTombstonesOf(user) + id.Value;

    /// <summary>What the names of a user's tombstones begin with.</summary>
    public string SessionTombstonesOf(UserReference user) => $"{Prefix}{TombstoneHead}{user.ToTagged()}:";

    /// <summary>Stands while something of the user is read from the archive and nothing of the user has ended.</summary>
    public string ArchiveFence(UserReference user) => $"{Prefix}{ArchiveFenceHead}{user.ToTagged()}";

    /// <summary>The denial of a token.</summary>
    public string DenylistEntry(DenylistId id) => $"{Prefix}{DenylistHead}{id.Value}";

    /// <summary>What the names of all of a user's refresh families begin with, colon included.</summary>
    public string RefreshFamiliesOf(UserReference user) => $"{Prefix}{RefreshHead}{user.ToTagged()}:";

    /// <summary>One refresh family.</summary>
    public string RefreshFamily(UserReference user, TokenId id) => RefreshFamiliesOf(user) + id.Value;

    /// <summary>The sorted set of a user's refresh families, scored by expiry in milliseconds since 1970.</summary>
    public string RefreshIndex(UserReference user) => $"{Prefix}{RefreshIndexHead}{user.ToTagged()}";

    /// <summary>What the names of all of a user's one-time tokens of a purpose begin with, colon included.</summary>
    /// <param name="kind">Password reset, e-mail verification or magic link.</param>
    /// <param name="user">The user.</param>
    public string OneTimeTokensOf(StateKind kind, UserReference user) => $"{Prefix}{OneTimeHead(kind)}{user.ToTagged()}:";

    /// <summary>The sorted set of a user's one-time tokens of a purpose, scored by expiry in milliseconds since 1970.</summary>
    /// <param name="kind">Password reset, e-mail verification or magic link.</param>
    /// <param name="user">The user.</param>
    public string OneTimeIndex(StateKind kind, UserReference user) => $"{Prefix}{OneTimeHead(kind)}user:{user.ToTagged()}";

    /// <summary>What the names of all of a user's two-factor challenges begin with, colon included.</summary>
    public string ChallengesOf(UserReference user) => $"{Prefix}{ChallengeHead}{user.ToTagged()}:";

    /// <summary>The sorted set of a user's two-factor challenges, scored by expiry in milliseconds since 1970.</summary>
    public string ChallengeIndex(UserReference user) => $"{Prefix}{ChallengeIndexHead}{user.ToTagged()}";

    /// <summary>What is remembered of a user's second factor beyond one challenge: attempts, last accepted time step.</summary>
    public string TwoFactorUser(UserReference user) => $"{Prefix}{TwoFactorUserHead}{user.ToTagged()}";

    /// <summary>The cell of a rate limit's subject.</summary>
    /// <param name="policy">Name of the policy, without a colon.</param>
    /// <param name="subjectHash">The subject's hash, 22 characters.</param>
    public string RateLimit(string policy, string subjectHash) => $"{Prefix}{RateHead}{policy}:{subjectHash}";

    /// <summary>A sealed OAuth state.</summary>
    /// <param name="id">Hash of the state, 22 characters.</param>
    public string OAuthState(string id) => $"{Prefix}{OAuthHead}{id}";

    /// <summary>A cached value: <c>cache:&lt;name&gt;</c>, <c>cache:&lt;u&gt;:&lt;name&gt;</c> or a profile. A name holds no brace, so that the first two never meet.</summary>
    public string CacheEntry(CacheKey key) =>
        key.Kind == StateKind.Profile ? $"{Prefix}{ProfileHead}{key.User!.Value.ToTagged()}" : CacheEntry(key.User, key.Name);

    /// <summary>What the cached values of a user name, until all of them are invalidated.</summary>
    public string CacheEpoch(UserReference user) => $"{Prefix}{CacheEpochHead}{user.ToTagged()}";

    /// <summary>The pub/sub channel of invalidations. A channel, not a key.</summary>
    internal string CacheChannel => $"{Prefix}{CacheHead}invalidated";

    internal string CacheEntry(UserReference? user, string name) =>
        user is { } owner ? $"{Prefix}{CacheHead}{owner.ToTagged()}:{name}" : $"{Prefix}{CacheHead}{name}";

    /// <summary>The data-protection keys of a ring: a hash, and the one key without a TTL.</summary>
    /// <param name="ringHash">Hash of the ring's name, 22 characters.</param>
    public string DataProtection(string ringHash) => $"{Prefix}{DataProtectionHead}{ringHash}";

    /// <summary>The last activities of a session, newest first.</summary>
    public string SessionActivity(UserReference user, SessionId id) => ActivitiesOf(user) + id.Value;

    /// <summary>What the names of all activities of a user's sessions begin with, colon included.</summary>
    public string ActivitiesOf(UserReference user) => $"{Prefix}{ActivityHead}{user.ToTagged()}:";

    /// <summary>The hash of a user's totals.</summary>
    public string UserStats(UserReference user) => $"{Prefix}{UserStatsHead}{user.ToTagged()}";

    /// <summary>The sorted set of a user's devices, scored by last log-in in milliseconds since 1970.</summary>
    public string UserDevices(UserReference user) => $"{Prefix}{UserDevicesHead}{user.ToTagged()}";

    /// <summary>The list of a user's session events, newest first.</summary>
    public string UserHistory(UserReference user) => $"{Prefix}{UserHistoryHead}{user.ToTagged()}";

    /// <summary>The log-ins of a day in UTC. The day is the hash tag, so that one script counts both of a day's keys.</summary>
    public string DayLogins(DateOnly day) => $"{Prefix}{DayLoginsHead}{Tagged(day)}";

    /// <summary>The different users of a day in UTC, a HyperLogLog.</summary>
    public string DayUsers(DateOnly day) => $"{Prefix}{DayUsersHead}{Tagged(day)}";

    /// <summary>A key of the worker's own.</summary>
    /// <param name="name">Parts joined by colons, for example <c>lease:session-cleanup</c>.</param>
    public string Maintenance(string name) => $"{Prefix}{MaintenanceHead}{name}";

    private static string Tagged(DateOnly day) => day.ToString(DayFormat, CultureInfo.InvariantCulture);

    private static string OneTimeHead(StateKind kind) => kind switch
    {
        StateKind.PasswordReset => ResetHead,
        StateKind.EmailVerification => VerificationHead,
        StateKind.MagicLink => MagicLinkHead,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind of one-time token."),
    };
}
