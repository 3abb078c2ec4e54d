using Maintenance.Storage.Analytics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tests.Diagnostics;
using Maintenance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Storage.Tests.Analytics;

public sealed class RecordingSessionStoreTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task LogIn_IsHandedOverBeforeItsAnswer_ButWaitsForNoRecord()
    {
        var analytics = new SlowAnalytics();
        var store = new RecordingSessionStore(
            new FakeSessionStore { Issued = Issue }, analytics, new FixedOptions<AnalyticsOptions>(new AnalyticsOptions()), NullLogger<RecordingSessionStore>.Instance);

        var issued = await store.CreateAsync(new NewSession { UserId = "u" }, None);

        analytics.Recorded.ShouldBe(issued.Session);
        var draining = store.DrainAsync();
        draining.IsCompleted.ShouldBeFalse();
        analytics.Answer.SetResult(true);
        await draining;
        await store.DisposeAsync();
    }

    [Fact]
    public async Task Continuation_IsRecordedBeforeItsAnswer()
    {
        var analytics = new SlowAnalytics();
        var store = new RecordingSessionStore(
            new FakeSessionStore { Issued = Issue }, analytics, new FixedOptions<AnalyticsOptions>(new AnalyticsOptions()), NullLogger<RecordingSessionStore>.Instance);

        var creating = store.CreateAsync(new NewSession { UserId = "u", Continues = SessionToken.Create(UserReference.Of("u")).Id }, None);

        creating.IsCompleted.ShouldBeFalse();
        analytics.Answer.SetResult(true);
        await creating;
    }

    private static IssuedSession Issue()
    {
        var token = SessionToken.Create(UserReference.Of("u"));
        var now = DateTimeOffset.UnixEpoch;
        return new IssuedSession(token, new Session
        {
            Id = token.Id, UserId = "u", CreatedAt = now, LastSeenAt = now, AuthenticatedAt = now, ExpiresAt = now, AbsoluteExpiresAt = now,
            SlidingExpiration = TimeSpan.FromHours(1), Generation = 1,
        });
    }

    /// <summary>Answers when the test says so.</summary>
    private sealed class SlowAnalytics : IAnalyticsStore
    {
        public TaskCompletionSource<bool> Answer { get; } = new();

        public Session? Recorded { get; private set; }

        public Task<bool> RecordLoginAsync(Session session, CancellationToken cancellationToken)
        {
            Recorded = session;
            return Answer.Task;
        }

        public Task<bool> RecordContinuationAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken) => Answer.Task;

        public Task<bool> RecordEndAsync(string userId, SessionId? id, SessionId? except, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> RecordRotationAsync(string userId, SessionId from, SessionId to, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<bool> RecordActivityAsync(string userId, SessionId id, string action, string? detail, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<SessionActivity>> GetActivitiesAsync(string userId, SessionId id, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<UserAnalytics> GetUserAsync(string userId, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<DayAnalytics>> GetDaysAsync(DateOnly first, DateOnly last, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
