using Maintenance.Storage.Analytics;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;

namespace Maintenance.Storage.UserData;

/// <summary>All that a store holds of one user. <see cref="UserDataService"/> is what hosts call.</summary>
public interface IUserDataStore
{
    /// <summary>Reads it.</summary>
    /// <exception cref="Redis.StorageUnavailableException">No answer.</exception>
    Task<UserDataSet> ReadAsync(string userId, CancellationToken cancellationToken);

    /// <summary>
    /// Removes it. The user's generation must have changed before, so that what is in flight writes nothing back. A log-in that comes after this began
    /// is a new session and stays, with what belongs to it.
    /// </summary>
    /// <returns>Keys or entries removed.</returns>
    /// <exception cref="Redis.StorageUnavailableException">No answer; some of it may be left. Repeat it.</exception>
    Task<long> EraseAsync(string userId, CancellationToken cancellationToken);
}

/// <summary>All that a store holds of one user. It holds no secret, because none is stored.</summary>
public sealed record UserDataSet
{
    /// <summary>The user.</summary>
    public required string UserId { get; init; }

    /// <summary>Live sessions, with address, user agent, device and claims as far as they are kept.</summary>
    public IReadOnlyList<Session> Sessions { get; init; } = [];

    /// <summary>Refresh families.</summary>
    public IReadOnlyList<RefreshFamily> RefreshFamilies { get; init; } = [];

    /// <summary>One-time tokens of every purpose.</summary>
    public IReadOnlyList<OneTimeToken> OneTimeTokens { get; init; } = [];

    /// <summary>Two-factor challenges.</summary>
    public IReadOnlyList<TwoFactorChallenge> Challenges { get; init; } = [];

    /// <summary>Attempts at the second factor that are remembered over all challenges.</summary>
    public int SecondFactorAttempts { get; init; }

    /// <summary>Totals, devices, past sessions.</summary>
    public required UserAnalytics Analytics { get; init; }

    /// <summary>Activities by session, live and past.</summary>
    public IReadOnlyDictionary<SessionId, IReadOnlyList<SessionActivity>> Activities { get; init; } = new Dictionary<SessionId, IReadOnlyList<SessionActivity>>();

    /// <summary>Cached values by name, the profile under <c>profile</c>, as the JSON that was cached.</summary>
    public IReadOnlyDictionary<string, string> Cached { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Items in all.</summary>
    public long Count =>
        Sessions.Count + RefreshFamilies.Count + OneTimeTokens.Count + Challenges.Count + (SecondFactorAttempts > 0 ? 1 : 0) + (Analytics.TotalLogins > 0 ? 1 : 0)
        + Analytics.Devices.Count + Analytics.PastSessions.Count + Activities.Sum(session => session.Value.Count) + Cached.Count;
}
