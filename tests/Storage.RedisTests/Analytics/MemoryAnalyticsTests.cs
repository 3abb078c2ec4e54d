using Maintenance.Storage.Analytics;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Analytics;

public sealed class MemoryAnalyticsTests : AnalyticsContract
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) =>
        // A year passes in these tests: a sweep a minute would be most of their time.
        new MemoryAuthBed(new ManualTimeProvider(), [("Storage:Memory:SweepInterval", "01:00:00"), .. settings]);

    [Fact]
    public async Task EverythingLeaves_WhenItsLifeIsOver()
    {
        await using var bed = Bed();
        var store = bed.Get<IAnalyticsStore>();
        var userId = AuthBed.NewUserId();
        var session = (await LogInAsync(bed, userId)).Session;
        var day = DateOnly.FromDateTime(session.CreatedAt.UtcDateTime);
        await store.RecordActivityAsync(userId, session.Id, "a", null, None);

        await bed.PassAsync(TimeSpan.FromHours(24));
        (await store.GetActivitiesAsync(userId, session.Id, None)).ShouldBeEmpty();
        (await store.GetDaysAsync(day, day, None))[0].Logins.ShouldBe(1);
        await bed.PassAsync(TimeSpan.FromDays(89));
        (await store.GetDaysAsync(day, day, None))[0].Logins.ShouldBe(0);
        (await store.GetUserAsync(userId, None)).TotalLogins.ShouldBe(1);
        await bed.PassAsync(TimeSpan.FromDays(275));
        (await store.GetUserAsync(userId, None)).TotalLogins.ShouldBe(0);
    }
}
