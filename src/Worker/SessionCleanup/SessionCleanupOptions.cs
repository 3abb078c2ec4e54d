using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.SessionCleanup;

/// <summary>What happens to a key of ours that has no TTL. Such a key would stay for ever.</summary>
public enum MissingTtlPolicy
{
    /// <summary>It is given the TTL that it should have; a session whose time is over is removed.</summary>
    Repair,

    /// <summary>The same wherever the value tells, and for generations; any other key is removed.</summary>
    Remove,

    /// <summary>It is only counted.</summary>
    Report,
}

/// <summary>Bound from <c>Jobs:SessionCleanup</c>.</summary>
public sealed class SessionCleanupOptions : JobOptions
{
    /// <summary>What happens to a key without a TTL. Default <see cref="MissingTtlPolicy.Repair"/>.</summary>
    public MissingTtlPolicy MissingTtl { get; set; } = MissingTtlPolicy.Repair;

    /// <summary>Life, from now, of keys whose value does not tell.</summary>
    public KeyLives Lives { get; set; } = new();
}

/// <summary>
/// Life, from now, given to a key that has no TTL, by kind. Of sessions, tokens, their indexes, second-factor counts and denials the value tells it,
/// and a generation gets the longest life that a session may have. Bound from <c>Jobs:SessionCleanup:Lives</c>.
/// </summary>
public sealed class KeyLives
{
    /// <summary>OAuth states. Default 10 min.</summary>
    public TimeSpan OAuthState { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Denylist entries whose value cannot be read; the others' tells. Too short lets a revoked token in again, so it must be the longest life of any token. Default 30 days.</summary>
    public TimeSpan DenylistEntry { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Rate limits: the longest window. Default 1 h.</summary>
    public TimeSpan RateLimit { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Profiles and other cached values. Default 30 min.</summary>
    public TimeSpan Cache { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>Activity lists. Default 24 h.</summary>
    public TimeSpan SessionActivity { get; set; } = TimeSpan.FromHours(24);

    /// <summary>A user's totals, devices and history. Default 365 days.</summary>
    public TimeSpan UserAnalytics { get; set; } = TimeSpan.FromDays(365);

    /// <summary>The numbers of a day. Default 90 days.</summary>
    public TimeSpan DayAnalytics { get; set; } = TimeSpan.FromDays(90);

    // What the archive leaves in Redis; its lives are minutes, and longer does no harm.
    private static readonly TimeSpan Archive = TimeSpan.FromHours(1);

    /// <summary>The life of a kind; zero where the value tells.</summary>
    internal TimeSpan Of(StateKind kind) => kind switch
    {
        StateKind.OAuthState => OAuthState,
        StateKind.DenylistEntry => DenylistEntry,
        StateKind.RateLimit => RateLimit,
        StateKind.Profile or StateKind.Cache or StateKind.CacheEpoch => Cache,
        StateKind.SessionActivity => SessionActivity,
        StateKind.UserStats or StateKind.UserDevices or StateKind.UserHistory => UserAnalytics,
        StateKind.DayLogins or StateKind.DayUsers => DayAnalytics,
        StateKind.SessionTombstone or StateKind.ArchiveFence => Archive,
        _ => TimeSpan.Zero,
    };

    /// <summary>Whether every life is above zero.</summary>
    internal bool AllPositive() =>
        new[]
        {
            OAuthState, DenylistEntry, RateLimit, Cache, SessionActivity, UserAnalytics, DayAnalytics,
        }.All(life => life > TimeSpan.Zero);
}
