using System.Text;
using Maintenance.Storage.Analytics;
using Maintenance.Storage.Caching;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;

namespace Maintenance.Storage.UserData;

/// <summary>All that the in-memory stores hold of a user.</summary>
public sealed class MemoryUserDataStore(
    InMemorySessionStore sessions,
    InMemoryRefreshTokenStore families,
    InMemoryOneTimeTokenStore oneTime,
    InMemoryTwoFactorStore twoFactor,
    MemoryAnalyticsStore analytics,
    MemoryCacheStore cache) : IUserDataStore
{
    /// <inheritdoc/>
    public async Task<UserDataSet> ReadAsync(string userId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        return new UserDataSet
        {
            UserId = userId,
            Sessions = await sessions.ListAsync(userId, cancellationToken).ConfigureAwait(false),
            RefreshFamilies = await families.ListAsync(userId, cancellationToken).ConfigureAwait(false),
            OneTimeTokens = oneTime.All(user),
            Challenges = twoFactor.All(user),
            SecondFactorAttempts = twoFactor.AttemptsOf(user),
            Analytics = await analytics.GetUserAsync(userId, cancellationToken).ConfigureAwait(false),
            Activities = analytics.ActivitiesOf(user),
            Cached = cache.ValuesOf(user).ToDictionary(
                value => value.Key.Kind == StateKind.Profile ? "profile" : value.Key.Name, value => Encoding.UTF8.GetString(value.Payload), StringComparer.Ordinal),
        };
    }

    /// <inheritdoc/>
    public async Task<long> EraseAsync(string userId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var user = UserReference.Of(userId);
        long removed;
        lock (sessions.Users.Gate(user))
        {
            // Not through the session store, which would only say what the caller has done before; a log-in since then goes with it.
            removed = sessions.EraseUser(user) + twoFactor.EraseUser(user) + families.EraseUser(user) + oneTime.EraseUser(user) + analytics.EraseUser(user);
        }

        return removed + await cache.EraseUserAsync(user).ConfigureAwait(false);
    }
}
