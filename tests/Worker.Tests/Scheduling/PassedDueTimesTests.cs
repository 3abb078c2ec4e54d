using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Tests.Scheduling;

public sealed class PassedDueTimesTests : IDisposable
{
    private const string Job = JobNames.RedisHealth;

    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly LogCollector logs = new();
    private readonly TestMeterFactory meters = new();
    private readonly PassedDueTimes passed;

    public PassedDueTimesTests() => passed = new PassedDueTimes(new JobMetrics(meters, []), logs.For<PassedDueTimes>());

    public void Dispose()
    {
        logs.Dispose();
        meters.Dispose();
    }

    /// <summary>Due each ten seconds. The first number is when the first firing was to be, the others are the firings, in seconds from noon.</summary>
    [Theory]
    [InlineData("each in its time", "3 3 13 23 33", 0)]
    [InlineData("the process stood still before the first", "3 35", 3)]
    [InlineData("the process stood still, and goes on at another moment of the interval", "3 3 58 68 78", 4)]
    [InlineData("late, and still within its own time", "3 3 19 23", 0)]
    [InlineData("late into the next, which fires twice", "9 9 20 29 39", 1)]
    [InlineData("runs longer than an interval, each time", "3 3 28 53 78", 4)]
    [InlineData("a clock that was set back and on again", "3 53 13 23 63", 5)]
    public void DueTimesThatNoFiringMet_AreCounted(string what, string seconds, int expected)
    {
        foreach (var text in (string[])["00:00:10", "0/10 * * * * ?"])
        {
            JobSchedule.TryParse(text, out var schedule, out _).ShouldBeTrue();
            using var misfires = new MetricCollector<long>(meters, "maintenance.job.misfires");
            var moments = seconds.Split(' ').Select(second => Noon.AddSeconds(int.Parse(second, System.Globalization.CultureInfo.InvariantCulture))).ToList();

            passed.Expect(Job, schedule!, moments[0]);
            foreach (var moment in moments[1..])
            {
                passed.Fires(Job, moment);
            }

            misfires.Sum(("task", Job)).ShouldBe(expected, $"{text}: {what}");
        }

        logs.WithEvent(2009).Sum(entry => (long)entry.Values["Count"]!).ShouldBe(expected * 2);
    }
}
