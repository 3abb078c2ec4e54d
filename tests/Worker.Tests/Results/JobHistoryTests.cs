using Maintenance.Testing;
using Maintenance.Worker.Results;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Tests.Results;

public sealed class JobHistoryTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TestMeterFactory meters = new();
    private readonly LogCollector logs = new();
    private readonly Recorder recorder = new();
    private readonly JobHistory history;

    public JobHistoryTests() =>
        history = new JobHistory(JobNames.KeyspaceStats, [new Faulty(), recorder], new JobMetrics(meters, []), logs.CreateLogger("test"));

    [Fact]
    public void Merge_ShowsOnlyFromTheNewestSnapshotOn_AfterAStart()
    {
        history.Merge([Result(4), Result(3), Result(2, snapshot: true), Result(1, snapshot: true)], Noon);
        recorder.Seen.ShouldBe(["2", "3", "4"]);
    }

    [Fact]
    public void ADryRun_IsNoCompletion_SoThatItDoesNotLookLikeAFailure()
    {
        using var success = new MetricCollector<double>(meters, "maintenance.job.last_success.timestamp");
        using var completion = new MetricCollector<double>(meters, "maintenance.job.last_completion.timestamp");
        history.Take(Result(1));
        history.Take(Result(2) with { DryRun = true });
        history.Merge([Result(3) with { DryRun = true }, Result(2) with { DryRun = true }, Result(1)], null);

        var ended = ResultStore.Ended(Result(1)).ToUnixTimeSeconds();
        success.Observe().ShouldHaveSingleItem().Value.ShouldBe(ended);
        completion.Observe().ShouldHaveSingleItem().Value.ShouldBe(ended);
    }

    [Fact]
    public void Merge_ShowsEachResultOnce_InOrder()
    {
        history.Merge([Result(1, snapshot: true)], null);
        history.Merge([Result(3), Result(2), Result(1, snapshot: true)], null);
        history.Take(Result(4));
        history.Merge([Result(4), Result(3), Result(2), Result(1, snapshot: true)], null);
        recorder.Seen.ShouldBe(["1", "2", "3", "4"]);
    }

    [Fact]
    public void Merge_NeverGoesBack_WhenAnOlderResultArrivesLate()
    {
        history.Take(Result(5, snapshot: true));
        history.Merge([Result(5, snapshot: true), Result(4, snapshot: true)], null);
        recorder.Seen.ShouldBe(["5"]);
        history.Read().Results.Select(result => result.RunId).ShouldBe(["5", "4"]);
    }

    [Fact]
    public void Merge_ShowsAReplicasResults_WhoseClockIsBehind()
    {
        history.Merge([Result(30, snapshot: true)], null);
        history.Merge([Result(2), Result(30, snapshot: true)], null);
        history.Merge([Result(3), Result(2), Result(30, snapshot: true)], null);
        recorder.Seen.ShouldBe(["30", "2", "3"]);
    }

    [Fact]
    public void Take_ShowsAResult_AlthoughThisReplicasClockWentBack()
    {
        history.Take(Result(30));
        history.Take(Result(2));
        history.Merge([Result(2), Result(30)], null);
        recorder.Seen.ShouldBe(["30", "2"]);
    }

    [Fact]
    public void Merge_ShowsOnlyWhatIsNewer_WhenRedisHasNoneOfThisReplicasRuns()
    {
        history.Take(Result(5));
        history.Merge([Result(7), Result(4)], null);
        recorder.Seen.ShouldBe(["5", "7"]);
    }

    [Fact]
    public void Merge_ShowsNothingTwice_AfterMoreRunsThanAreKept()
    {
        for (var i = 0; i < 300; i++)
        {
            history.Take(Result(i));
        }

        history.Merge([.. Enumerable.Range(250, 50).Reverse().Select(i => Result(i))], null);
        recorder.Seen.Count.ShouldBe(300);
    }

    [Fact]
    public void Take_KeepsADryRunFromObserversAndLastSuccess()
    {
        history.Take(Result(1) with { DryRun = true });
        recorder.Seen.ShouldBeEmpty();
        history.Read().LastSuccess.ShouldBeNull();
        history.Read().Results.Count.ShouldBe(1);
    }

    [Fact]
    public void Merge_NeverForgetsALastSuccess()
    {
        history.Take(Result(1));
        var success = history.Read().LastSuccess.ShouldNotBeNull();
        history.Merge([], null);
        history.Merge([], Noon - TimeSpan.FromDays(1));
        history.Read().LastSuccess.ShouldBe(success);
    }

    [Fact]
    public void Merge_LogsAnObserverThatThrows_AndGoesOn()
    {
        history.Take(Result(1));
        recorder.Seen.ShouldBe(["1"]);
        logs.WithEvent(2012).Count.ShouldBe(1);
    }

    public void Dispose()
    {
        meters.Dispose();
        logs.Dispose();
    }

    private static JobResult Result(int minute, bool snapshot = false) => new()
    {
        Job = JobNames.KeyspaceStats,
        RunId = $"{minute}",
        Replica = "a",
        Started = Noon.AddMinutes(minute),
        DurationSeconds = 1,
        Outcome = JobOutcome.Success,
        Snapshot = snapshot ? System.Text.Json.JsonSerializer.SerializeToElement(new { keys = minute }) : null,
    };

    private sealed class Recorder : IJobResultObserver
    {
        public List<string> Seen { get; } = [];

        public string Job => JobNames.KeyspaceStats;

        public void Observe(JobResult result) => Seen.Add(result.RunId);
    }

    private sealed class Faulty : IJobResultObserver
    {
        public string Job => JobNames.KeyspaceStats;

        public void Observe(JobResult result) => throw new InvalidOperationException("on purpose");
    }
}
