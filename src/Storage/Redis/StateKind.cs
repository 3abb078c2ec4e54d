namespace Maintenance.Storage.Redis;

/// <summary>Every kind of key that the product writes.</summary>
public enum StateKind
{
    /// <summary><c>session:&lt;u&gt;:&lt;sid&gt;</c></summary>
    Session,

    /// <summary><c>user:sessions:&lt;u&gt;</c></summary>
    SessionIndex,

    /// <summary><c>user:generation:&lt;u&gt;</c></summary>
    Generation,

    /// <summary><c>auth:refresh:&lt;u&gt;:&lt;id&gt;</c></summary>
    RefreshToken,

    /// <summary><c>auth:refresh:user:&lt;u&gt;</c></summary>
    RefreshTokenIndex,

    /// <summary><c>2fa:challenge:&lt;u&gt;:&lt;id&gt;</c></summary>
    TwoFactorChallenge,

    /// <summary><c>pwd:reset:&lt;u&gt;:&lt;id&gt;</c></summary>
    PasswordReset,

    /// <summary><c>oauth:state:&lt;id&gt;</c></summary>
    OAuthState,

    /// <summary><c>blacklist:&lt;id&gt;</c></summary>
    DenylistEntry,

    /// <summary><c>rate:limit:&lt;policy&gt;:&lt;key&gt;</c></summary>
    RateLimit,

    /// <summary><c>user:profile:&lt;u&gt;</c></summary>
    Profile,

    /// <summary><c>cache:&lt;key&gt;</c></summary>
    Cache,

    /// <summary><c>session:activity:&lt;u&gt;:&lt;sid&gt;</c></summary>
    SessionActivity,

    /// <summary><c>maintenance:*</c>, the worker's own.</summary>
    Maintenance,

    /// <summary><c>2fa:challenge:user:&lt;u&gt;</c></summary>
    TwoFactorChallengeIndex,

    /// <summary><c>2fa:user:&lt;u&gt;</c>, attempts over all challenges and the last accepted time step.</summary>
    TwoFactorUser,

    /// <summary><c>pwd:reset:user:&lt;u&gt;</c></summary>
    PasswordResetIndex,

    /// <summary><c>email:verify:&lt;u&gt;:&lt;id&gt;</c></summary>
    EmailVerification,

    /// <summary><c>email:verify:user:&lt;u&gt;</c></summary>
    EmailVerificationIndex,

    /// <summary><c>magic:link:&lt;u&gt;:&lt;id&gt;</c></summary>
    MagicLink,

    /// <summary><c>magic:link:user:&lt;u&gt;</c></summary>
    MagicLinkIndex,

    /// <summary><c>user:cache:&lt;u&gt;</c>, what a user's cached values name until all of them are invalidated.</summary>
    CacheEpoch,

    /// <summary><c>dataprotection:&lt;id&gt;</c>, the one kind without a TTL.</summary>
    DataProtection,

    /// <summary><c>user:stats:&lt;u&gt;</c>, totals of log-ins.</summary>
    UserStats,

    /// <summary><c>user:devices:&lt;u&gt;</c></summary>
    UserDevices,

    /// <summary><c>user:history:&lt;u&gt;</c>, beginnings and ends of sessions.</summary>
    UserHistory,

    /// <summary><c>stats:logins:{&lt;day&gt;}</c></summary>
    DayLogins,

    /// <summary><c>stats:users:{&lt;day&gt;}</c></summary>
    DayUsers,

    /// <summary><c>session:ended:&lt;u&gt;:&lt;sid&gt;</c>, only with an archive.</summary>
    SessionTombstone,

    /// <summary><c>user:fence:&lt;u&gt;</c>, only with an archive.</summary>
    ArchiveFence,
}

/// <summary>Names of the kinds.</summary>
public static class StateKinds
{
    /// <summary>All kinds, in order of declaration.</summary>
    public static IReadOnlyList<StateKind> All { get; } = Enum.GetValues<StateKind>();

    /// <summary>The kind as a metric label: snake case, a closed set.</summary>
    public static string Label(this StateKind kind) => kind switch
    {
        StateKind.Session => "session",
        StateKind.SessionIndex => "session_index",
        StateKind.Generation => "generation",
        StateKind.RefreshToken => "refresh_token",
        StateKind.RefreshTokenIndex => "refresh_token_index",
        StateKind.TwoFactorChallenge => "two_factor_challenge",
        StateKind.PasswordReset => "password_reset",
        StateKind.OAuthState => "oauth_state",
        StateKind.DenylistEntry => "denylist_entry",
        StateKind.RateLimit => "rate_limit",
        StateKind.Profile => "profile",
        StateKind.Cache => "cache",
        StateKind.SessionActivity => "session_activity",
        StateKind.Maintenance => "maintenance",
        StateKind.TwoFactorChallengeIndex => "two_factor_challenge_index",
        StateKind.TwoFactorUser => "two_factor_user",
        StateKind.PasswordResetIndex => "password_reset_index",
        StateKind.EmailVerification => "email_verification",
        StateKind.EmailVerificationIndex => "email_verification_index",
        StateKind.MagicLink => "magic_link",
        StateKind.MagicLinkIndex => "magic_link_index",
        StateKind.CacheEpoch => "cache_epoch",
        StateKind.DataProtection => "data_protection",
        StateKind.UserStats => "user_stats",
        StateKind.UserDevices => "user_devices",
        StateKind.UserHistory => "user_history",
        StateKind.DayLogins => "day_logins",
        StateKind.DayUsers => "day_users",
        StateKind.SessionTombstone => "session_tombstone",
        StateKind.ArchiveFence => "archive_fence",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind of state."),
    };
}
