using Maintenance.Storage.Analytics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Outage;

/// <summary>Activity and analytics in Redis, or in memory where a user's state is there by choice. What happens while Redis is away is not recorded.</summary>
internal sealed class SwitchingAnalyticsStore(Lazy<IAnalyticsStore> redis, IAnalyticsStore memory, StorageSwitch mode) : IAnalyticsStore
{
    /// <inheritdoc/>
    public Task<bool> RecordLoginAsync(Session session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        return Of(session.UserId).RecordLoginAsync(session, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> RecordEndAsync(string userId, SessionId? id, SessionId? except, CancellationToken cancellationToken) =>
        Of(userId).RecordEndAsync(userId, id, except, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RecordRotationAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken) =>
        Of(userId).RecordRotationAsync(userId, from, to, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RecordContinuationAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken) =>
        Of(userId).RecordContinuationAsync(userId, from, to, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RecordActivityAsync(string userId, SessionId id, string action, string? detail, CancellationToken cancellationToken) =>
        Of(userId).RecordActivityAsync(userId, id, action, detail, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<SessionActivity>> GetActivitiesAsync(string userId, SessionId id, CancellationToken cancellationToken) =>
        Of(userId).GetActivitiesAsync(userId, id, cancellationToken);

    /// <inheritdoc/>
    public Task<UserAnalytics> GetUserAsync(string userId, CancellationToken cancellationToken) => Of(userId).GetUserAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<DayAnalytics>> GetDaysAsync(DateOnly first, DateOnly last, CancellationToken cancellationToken) =>
        (mode.Route() == StorageRoute.Memory ? memory : redis.Value).GetDaysAsync(first, last, cancellationToken);

    private IAnalyticsStore Of(string userId) => mode.RouteOf(UserReference.Of(userId)) == StorageRoute.Memory ? memory : redis.Value;
}
