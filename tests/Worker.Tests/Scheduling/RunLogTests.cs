using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Tests.Scheduling;

public sealed class RunLogTests : IDisposable
{
    private const int Warned = 2003;

    private readonly LogCollector logs = new();

    public void Dispose() => logs.Dispose();

    [Fact]
    public void Ended_LogsAWarningOnce_WhileItLasts()
    {
        var log = new RunLog(logs.For<JobRunner>());

        for (var run = 0; run < 5; run++)
        {
            log.Ended(Result(["no maxmemory"]));
        }

        logs.WithEvent(Warned).ShouldHaveSingleItem().Message.ShouldContain("no maxmemory");
        logs.WithEvent(2000).Count.ShouldBe(5, "each run is one line");
    }

    [Fact]
    public void Ended_LogsWhatIsNew_AndWhatHasComeBack()
    {
        var log = new RunLog(logs.For<JobRunner>());

        log.Ended(Result(["a"]));
        log.Ended(Result(["a", "b"]));
        log.Ended(Result(["b"]));
        log.Ended(Result(["a", "b"]));

        logs.WithEvent(Warned).Select(entry => entry.Values["Warning"]).ShouldBe(["a", "b", "a"]);
    }

    [Fact]
    public void Ended_LogsEachJobsWarnings()
    {
        var log = new RunLog(logs.For<JobRunner>());

        log.Ended(Result(["a"]));
        log.Ended(Result(["a"], job: JobNames.SessionCleanup));

        logs.WithEvent(Warned).Count.ShouldBe(2);
    }

    [Fact]
    public void Ended_DoesNotTakeAWarningForOver_WhenTheRunWasCutShort()
    {
        var log = new RunLog(logs.For<JobRunner>());

        log.Ended(Result(["a"]));
        log.Ended(Result([], JobOutcome.Canceled));
        log.Ended(Result(["a"]));

        logs.WithEvent(Warned).ShouldHaveSingleItem();
    }

    private static JobResult Result(IReadOnlyList<string> warnings, JobOutcome outcome = JobOutcome.Success, string job = JobNames.MemoryAlerts) => new()
    {
        Job = job,
        RunId = Guid.NewGuid().ToString("N"),
        Replica = "a",
        Started = DateTimeOffset.UnixEpoch,
        DurationSeconds = 0,
        Outcome = outcome,
        Warnings = warnings,
    };
}
