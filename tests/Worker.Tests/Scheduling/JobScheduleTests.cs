using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Tests.Scheduling;

public sealed class JobScheduleTests
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("00:00:01", 1)]
    [InlineData("00:05:00", 300)]
    [InlineData("1.00:00:00", 86_400)]
    public void TryParse_ReadsInterval(string text, double seconds)
    {
        JobSchedule.TryParse(text, out var schedule, out _).ShouldBeTrue();
        schedule!.IntervalAt(Noon).TotalSeconds.ShouldBe(seconds);
        schedule.Cron.ShouldBeNull();
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("10", "days")]
    [InlineData("00:00:00.5", "00:00:01")]
    [InlineData("-00:01:00", "00:00:01")]
    [InlineData("31.00:00:00", "30.00:00:00")]
    [InlineData("every hour", "neither an interval")]
    [InlineData("0 0 * * *", "neither an interval")]
    public void TryParse_SaysWhatIsWrong(string text, string expected)
    {
        JobSchedule.TryParse(text, out _, out var problem).ShouldBeFalse();
        problem!.ShouldContain(expected);
    }

    [Theory]
    [InlineData("0 0/15 * * * ?", "12:00:00", "00:15:00")]
    [InlineData("0 0/15 * * * ?", "12:07:30", "00:15:00")]
    // By day only: the night is no reason to call it stale, nor is the morning's run while it goes on.
    [InlineData("0 0 8-18 * * ?", "17:30:00", "01:00:00")]
    [InlineData("0 0 8-18 * * ?", "18:00:00.2", "14:00:00")]
    [InlineData("0 0 8-18 * * ?", "03:00:00", "14:00:00")]
    [InlineData("0 0 8-18 * * ?", "08:00:00.2", "14:00:00")]
    [InlineData("0 0 8-18 * * ?", "09:00:00.2", "01:00:00")]
    [InlineData("0 0 12 1 1 ? 2030", "12:00:00", "30.00:00:00")]
    public void IntervalAt_IsTheGapOfNow_OrTheOneThatJustEnded_OfCron(string text, string now, string expected)
    {
        JobSchedule.TryParse(text, out var schedule, out _).ShouldBeTrue();
        schedule!.IntervalAt(Noon.AddHours(-12) + TimeSpan.Parse(now)).ShouldBe(TimeSpan.Parse(expected));
    }

    [Fact]
    public void DueOf_IsTheSameOnReplicasThatStartedApart_ForInterval()
    {
        JobSchedule.TryParse("00:00:10", out var schedule, out _).ShouldBeTrue();
        var dues = Enumerable.Range(0, 10).Select(second => schedule!.DueOf(Noon.AddSeconds(second + 0.25))).Distinct().ToList();
        dues.ShouldBe([Noon]);
        schedule!.DueOf(Noon.AddSeconds(10)).ShouldBe(Noon.AddSeconds(10));
        schedule.NextDue(Noon).ShouldBe(Noon.AddSeconds(10));
    }

    [Fact]
    public void DueOf_NeverRepeats_ForConsecutiveFirings()
    {
        JobSchedule.TryParse("00:00:07", out var schedule, out _).ShouldBeTrue();
        var dues = Enumerable.Range(0, 1000).Select(i => schedule!.DueOf(Noon.AddSeconds(3.3 + (i * 7)))).ToList();
        dues.Distinct().Count().ShouldBe(1000);
    }

    [Fact]
    public void DueOf_IsTheExpressionsTime_WhenCronFiringWasLate()
    {
        JobSchedule.TryParse("0 0 * * * ?", out var schedule, out _).ShouldBeTrue();
        schedule!.DueOf(Noon).ShouldBe(Noon);
        schedule.DueOf(Noon.AddMinutes(3).AddSeconds(12.5)).ShouldBe(Noon);
        schedule.NextDue(Noon).ShouldBe(Noon.AddHours(1));
    }

    [Fact]
    public void HasFuture_IsFalse_WhenCronIsOver()
    {
        JobSchedule.TryParse("0 0 12 1 1 ? 2020", out var schedule, out _).ShouldBeTrue();
        schedule!.HasFuture(Noon).ShouldBeFalse();
    }
}
