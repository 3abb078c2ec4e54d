using Maintenance.Storage.Analytics;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.RedisTests.Analytics;

/// <summary>What activity and analytics do on every store.</summary>
public abstract class AnalyticsContract
{
    protected static readonly CancellationToken None = CancellationToken.None;

    protected abstract AuthBed Bed(params (string Name, string Value)[] settings);

    protected static async Task<IssuedSession> LogInAsync(AuthBed bed, string userId, string? device = null)
    {
        // Two log-ins of one millisecond would have no order.
        await bed.PassAsync(TimeSpan.FromMilliseconds(2));
        var issued = await bed.Sessions.CreateAsync(new NewSession { UserId = userId, DeviceName = device }, None);
        await bed.RecordedAsync();
        return issued;
    }

    [Fact]
    public async Task Activities_AreKeptNewestFirst_AndOnlyTheLast()
    {
        await using var bed = Bed(("Storage:Analytics:ActivitiesPerSession", "3"));
        var store = bed.Get<IAnalyticsStore>();
        var userId = AuthBed.NewUserId();
        var id = (await LogInAsync(bed, userId)).Session.Id;
        var other = (await LogInAsync(bed, userId)).Session.Id;
        for (var i = 1; i <= 5; i++)
        {
            await store.RecordActivityAsync(userId, id, $"step.{i}", i == 5 ? "at 12:30: done" : null, None);
        }

        var activities = await store.GetActivitiesAsync(userId, id, None);

        activities.Select(activity => activity.Action).ShouldBe(["step.5", "step.4", "step.3"]);
        activities.Select(activity => activity.Detail).ShouldBe(["at 12:30: done", null, null]);
        activities[0].At.ShouldBe(bed.Get<TimeProvider>().GetUtcNow(), TimeSpan.FromSeconds(30));
        (await store.GetActivitiesAsync(userId, other, None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task RecordActivity_RefusesAnActionWithAColon_AndCutsALongDetail()
    {
        await using var bed = Bed();
        var store = bed.Get<IAnalyticsStore>();
        var userId = AuthBed.NewUserId();
        var id = (await LogInAsync(bed, userId)).Session.Id;
        await Should.ThrowAsync<ArgumentException>(() => store.RecordActivityAsync(userId, id, "a:b", null, None));
        await Should.ThrowAsync<ArgumentException>(() => store.RecordActivityAsync(userId, id, "", null, None));
        await Should.ThrowAsync<ArgumentException>(() => store.RecordActivityAsync(userId, id, new string('a', 65), null, None));
        await Should.ThrowAsync<ArgumentException>(() => store.RecordActivityAsync(userId, default, "a", null, None));

        await store.RecordActivityAsync(userId, id, "a", new string('b', 1000), None);

        (await store.GetActivitiesAsync(userId, id, None)).ShouldHaveSingleItem().Detail.ShouldBe(new string('b', SessionActivity.MaxDetailBytes));
    }

    [Fact]
    public async Task User_HasActiveSessionsTotalLastLoginAndDevices()
    {
        await using var bed = Bed(("Storage:Analytics:DevicesPerUser", "2"));
        var store = bed.Get<IAnalyticsStore>();
        var userId = AuthBed.NewUserId();
        var before = await store.GetUserAsync(userId, None);
        (before.ActiveSessions, before.TotalLogins, before.LastLoginAt, before.Devices.Count, before.PastSessions.Count).ShouldBe((0, 0L, null, 0, 0));
        await LogInAsync(bed, userId, "phone");
        var laptop = await LogInAsync(bed, userId, "laptop");
        await LogInAsync(bed, userId, "tablet");
        var last = await LogInAsync(bed, userId, "laptop");
        await LogInAsync(bed, AuthBed.NewUserId(), "another's");
        await bed.Sessions.RevokeAsync(userId, laptop.Session.Id, None);

        var known = await store.GetUserAsync(userId, None);

        (known.ActiveSessions, known.TotalLogins, known.LastLoginAt).ShouldBe((3, 4, last.Session.CreatedAt));
        known.Devices.Select(device => device.Name).ShouldBe(["laptop", "tablet"]);
        known.Devices[0].LastLoginAt.ShouldBe(last.Session.CreatedAt);
    }

    [Fact]
    public async Task PastSessions_AreThoseThatEnded_TheLastFirst()
    {
        await using var bed = Bed(("Storage:Analytics:PastSessions", "3"));
        var store = bed.Get<IAnalyticsStore>();
        var userId = AuthBed.NewUserId();
        var ended = new List<IssuedSession>();
        for (var i = 0; i < 5; i++)
        {
            ended.Add(await LogInAsync(bed, userId, $"device {i}"));
            await bed.Sessions.RevokeAsync(userId, ended[i].Session.Id, None);
        }

        await LogInAsync(bed, userId, "alive");

        var past = (await store.GetUserAsync(userId, None)).PastSessions;

        past.Select(session => session.Id).ShouldBe([ended[4].Session.Id, ended[3].Session.Id, ended[2].Session.Id]);
        past.Select(session => session.StartedAt).ShouldBe([ended[4].Session.CreatedAt, ended[3].Session.CreatedAt, ended[2].Session.CreatedAt]);
        past.ShouldAllBe(session => session.EndedAt >= session.StartedAt);
        past[0].DeviceName.ShouldBe("device 4");
    }

    [Fact]
    public async Task PastSessions_FollowARotationAndALogOutEverywhere()
    {
        await using var bed = Bed();
        var store = bed.Get<IAnalyticsStore>();
        var userId = AuthBed.NewUserId();
        var first = await LogInAsync(bed, userId, "kept");
        var second = await LogInAsync(bed, userId, "ended");
        await store.RecordActivityAsync(userId, first.Session.Id, "before", null, None);
        var rotated = (await bed.Sessions.RotateAsync(first.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull().Session.Id;
        (await store.GetUserAsync(userId, None)).PastSessions.ShouldBeEmpty();
        (await store.GetActivitiesAsync(userId, rotated, None)).ShouldHaveSingleItem().Action.ShouldBe("before");

        await bed.Sessions.RevokeAllAsync(userId, rotated, None);

        var past = (await store.GetUserAsync(userId, None)).PastSessions.ShouldHaveSingleItem();
        (past.Id, past.DeviceName, past.EndedAt is null).ShouldBe((second.Session.Id, "ended", false));
        await bed.Sessions.RevokeAllAsync(userId, null, None);
        (await store.GetUserAsync(userId, None)).PastSessions.Select(session => session.Id).ShouldBe([second.Session.Id, rotated]);
    }

    [Fact]
    public async Task PastSession_HasItsEnd_WhenItWasEndedByAnIdFromBeforeARotation()
    {
        await using var bed = Bed();
        var userId = AuthBed.NewUserId();
        var issued = await LogInAsync(bed, userId);
        var rotated = await bed.Sessions.RotateAsync(issued.Token.Value, new SessionChanges(), None);

        (await bed.Sessions.RevokeAsync(userId, issued.Session.Id, None)).ToBoolean().ShouldBeTrue();

        var past = (await bed.Get<IAnalyticsStore>().GetUserAsync(userId, None)).PastSessions.ShouldHaveSingleItem();
        past.Id.ShouldBe(rotated.Issued!.Session.Id);
        past.EndedAt.ShouldNotBeNull();
    }

    [Fact]
    public async Task Continuation_IsNoLogin_AndGoesOnWithHistoryAndActivities_WhenTheOldSessionEnds()
    {
        await using var bed = Bed();
        var store = bed.Get<IAnalyticsStore>();
        var userId = AuthBed.NewUserId();
        var first = await LogInAsync(bed, userId, "phone");
        await store.RecordActivityAsync(userId, first.Session.Id, "before", null, None);

        var second = (await bed.Sessions.CreateAsync(new NewSession { UserId = userId, DeviceName = "phone", Continues = first.Session.Id }, None)).Session.Id;
        await bed.Sessions.RevokeAsync(userId, first.Session.Id, None);

        var known = await store.GetUserAsync(userId, None);
        (known.ActiveSessions, known.TotalLogins, known.LastLoginAt).ShouldBe((1, 1, first.Session.CreatedAt));
        known.PastSessions.ShouldBeEmpty("it goes on");
        (await store.GetActivitiesAsync(userId, second, None)).ShouldHaveSingleItem().Action.ShouldBe("before");
        await bed.PassAsync(TimeSpan.FromMilliseconds(2));
        var before = bed.Get<TimeProvider>().GetUtcNow();
        await bed.Sessions.RevokeAsync(userId, second, None);
        var past = (await store.GetUserAsync(userId, None)).PastSessions.ShouldHaveSingleItem();
        (past.Id, past.StartedAt, past.DeviceName).ShouldBe((second, first.Session.CreatedAt, "phone"));
        past.EndedAt.ShouldNotBeNull().ShouldBeGreaterThan(before - TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task PastSession_ThatExpired_HasNoEnd()
    {
        await using var bed = Bed();
        var store = bed.Get<IAnalyticsStore>();
        // A session of a second may have ended before it is recorded, on a machine that stands still; then again with a longer life.
        foreach (var life in new[] { 1, 8, 30 }.Select(seconds => TimeSpan.FromSeconds(seconds)))
        {
            var userId = AuthBed.NewUserId();
            var session = await bed.Sessions.CreateAsync(new NewSession { UserId = userId, SlidingExpiration = life }, None);
            await bed.RecordedAsync();
            if ((await store.GetUserAsync(userId, None)).TotalLogins == 0)
            {
                continue;
            }

            await bed.PassAsync(life + TimeSpan.FromSeconds(0.2));

            var known = await store.GetUserAsync(userId, None);
            known.ActiveSessions.ShouldBe(0);
            known.PastSessions.ShouldHaveSingleItem().ShouldBe(new PastSession(session.Session.Id, session.Session.CreatedAt, null, null));
            return;
        }

        Assert.Fail("The machine stood still each time.");
    }

    [Fact]
    public async Task Days_CountLoginsAndEachUserOnce()
    {
        await using var bed = Bed();
        var store = bed.Get<IAnalyticsStore>();
        // The same users each time: of random ones two may share a place in the HyperLogLog, whose number is an estimate.
        var users = Enumerable.Range(0, 10).Select(i => $"counted-{i}").ToList();
        var template = (await LogInAsync(bed, AuthBed.NewUserId())).Session;
        // Days of the future, so that the log-ins of other tests are not among them.
        var day = DateOnly.FromDateTime(template.CreatedAt.UtcDateTime).AddDays(Random.Shared.Next(10, 100_000));
        var at = new DateTimeOffset(day, new TimeOnly(23, 59), TimeSpan.Zero);
        await AuthBed.AtOnceAsync(30, i => store.RecordLoginAsync(template with { UserId = users[i % 10], CreatedAt = at }, None));
        await store.RecordLoginAsync(template with { UserId = users[0], CreatedAt = at.AddMinutes(1) }, None);

        (await store.GetDaysAsync(day.AddDays(-1), day.AddDays(1), None)).ShouldBe(
            [new DayAnalytics(day.AddDays(-1), 0, 0), new DayAnalytics(day, 30, 10), new DayAnalytics(day.AddDays(1), 1, 1)]);
        await Should.ThrowAsync<ArgumentException>(() => store.GetDaysAsync(day, day.AddDays(-1), None));
        await Should.ThrowAsync<ArgumentException>(() => store.GetDaysAsync(day, day.AddDays(400), None));
    }

    [Fact]
    public async Task Totals_LoseNothing_OfTwoHundredLoginsAtOnce()
    {
        await using var bed = Bed();
        var store = bed.Get<IAnalyticsStore>();
        var session = (await LogInAsync(bed, AuthBed.NewUserId())).Session;

        await AuthBed.AtOnceAsync(200, _ => store.RecordLoginAsync(session, None));

        (await store.GetUserAsync(session.UserId, None)).TotalLogins.ShouldBe(201);
    }

    [Fact]
    public async Task Recording_CanBeSwitchedOff()
    {
        await using var bed = Bed(("Storage:Analytics:RecordSessions", "false"));
        var userId = AuthBed.NewUserId();
        await LogInAsync(bed, userId);

        var known = await bed.Get<IAnalyticsStore>().GetUserAsync(userId, None);

        (known.ActiveSessions, known.TotalLogins).ShouldBe((1, 0));
    }
}
