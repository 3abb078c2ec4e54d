using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Analytics;

/// <summary>Measures another analytics store.</summary>
public sealed class InstrumentedAnalyticsStore(IAnalyticsStore inner, AuthStoreMetrics metrics, TimeProvider timeProvider) : IAnalyticsStore
{
    /// <summary>Value of the label <c>store</c>.</summary>
    public const string StoreLabel = "analytics";

    internal static readonly string[] Operations =
        ["record_login", "record_end", "record_rotation", "record_activity", "activities", "user", "days"];

    private readonly StoreMeter meter = new(StoreLabel, metrics, timeProvider);

    /// <inheritdoc/>
    public Task<bool> RecordLoginAsync(Session session, CancellationToken cancellationToken) =>
        meter.MeasureAsync("record_login", () => inner.RecordLoginAsync(session, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> RecordEndAsync(string userId, SessionId? id, SessionId? except, CancellationToken cancellationToken) =>
        meter.MeasureAsync("record_end", () => inner.RecordEndAsync(userId, id, except, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> RecordRotationAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken) =>
        meter.MeasureAsync("record_rotation", () => inner.RecordRotationAsync(userId, from, to, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> RecordContinuationAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken) =>
        meter.MeasureAsync("record_rotation", () => inner.RecordContinuationAsync(userId, from, to, cancellationToken));

    /// <inheritdoc/>
    public Task<bool> RecordActivityAsync(string userId, SessionId id, string action, string? detail, CancellationToken cancellationToken) =>
        meter.MeasureAsync("record_activity", () => inner.RecordActivityAsync(userId, id, action, detail, cancellationToken));

    /// <inheritdoc/>
    public Task<IReadOnlyList<SessionActivity>> GetActivitiesAsync(string userId, SessionId id, CancellationToken cancellationToken) =>
        meter.MeasureAsync("activities", () => inner.GetActivitiesAsync(userId, id, cancellationToken));

    /// <inheritdoc/>
    public Task<UserAnalytics> GetUserAsync(string userId, CancellationToken cancellationToken) =>
        meter.MeasureAsync("user", () => inner.GetUserAsync(userId, cancellationToken));

    /// <inheritdoc/>
    public Task<IReadOnlyList<DayAnalytics>> GetDaysAsync(DateOnly first, DateOnly last, CancellationToken cancellationToken) =>
        meter.MeasureAsync("days", () => inner.GetDaysAsync(first, last, cancellationToken));
}
