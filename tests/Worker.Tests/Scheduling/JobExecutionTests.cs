using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.Lease;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Worker.Tests.Scheduling;

public sealed class JobExecutionTests : IDisposable
{
    private readonly LogCollector logs = new();
    private readonly ManualTimeProvider time = new();

    [Fact]
    public async Task WorkAsync_Succeeds_AndHandsOverWhatWasReported()
    {
        var result = await RunAsync((context, _) =>
        {
            context.Report.Add("keys_seen", 7);
            context.Report.Warn("look here");
            context.Report.SetSnapshot(new { Keys = 7 });
            time.Advance(TimeSpan.FromSeconds(1.5));
            return Task.CompletedTask;
        });
        result.Outcome.ShouldBe(JobOutcome.Success);
        result.Counts["keys_seen"].ShouldBe(7);
        result.Warnings.ShouldBe(["look here"]);
        result.DurationSeconds.ShouldBe(1.5);
        result.Snapshot!.Value.GetProperty("keys").GetInt32().ShouldBe(7);
    }

    [Fact]
    public async Task WorkAsync_Fails_WhenAnErrorWasReported_AndTheRestWentOn()
    {
        var result = await RunAsync((context, _) =>
        {
            context.Report.Error("one key");
            context.Report.Add("keys_seen");
            return Task.CompletedTask;
        });
        result.Outcome.ShouldBe(JobOutcome.Failed);
        result.ErrorCount.ShouldBe(1);
        result.Counts["keys_seen"].ShouldBe(1);
    }

    [Fact]
    public async Task WorkAsync_FailsWithTheMessage_WhenTheJobThrows()
    {
        var result = await RunAsync((_, _) => throw new InvalidOperationException("on purpose"));
        result.Outcome.ShouldBe(JobOutcome.Failed);
        result.Errors.ShouldBe(["InvalidOperationException: on purpose"]);
        logs.WithEvent(2005).Count.ShouldBe(1);
    }

    [Fact]
    public async Task WorkAsync_FailsBraked_WhenTheBrakeStoppedIt()
    {
        var result = await RunAsync((context, _) =>
        {
            context.Brake.Check(10, 5000, "sessions");
            return Task.CompletedTask;
        });
        result.Outcome.ShouldBe(JobOutcome.Failed);
        result.Braked.ShouldBeTrue();
        result.Reason.ShouldBe("brake");
        result.Errors[0].ShouldContain("5000 of 10 sessions");
    }

    [Fact]
    public async Task WorkAsync_FailsClearly_WhenRedisIsAway()
    {
        var result = await RunAsync((_, _) => throw new StorageUnavailableException(UnavailableReason.Deadline, "no answer"));
        result.Outcome.ShouldBe(JobOutcome.Failed);
        result.Errors.ShouldBe(["Redis unavailable: no answer"]);
    }

    [Fact]
    public async Task WorkAsync_IsCanceled_WhenItsTokenWas()
    {
        using var stop = new CancellationTokenSource();
        var result = await RunAsync(
            async (_, cancellationToken) =>
            {
                await stop.CancelAsync();
                cancellationToken.ThrowIfCancellationRequested();
            },
            stop.Token);
        result.Outcome.ShouldBe(JobOutcome.Canceled);
        result.ErrorCount.ShouldBe(0);
    }

    [Fact]
    public async Task WorkAsync_Fails_WhenAnotherTokenWasCanceled()
    {
        var result = await RunAsync((_, _) => throw new OperationCanceledException("not ours"));
        result.Outcome.ShouldBe(JobOutcome.Failed);
    }

    [Fact]
    public void RunLog_NamesWhatIsNotOffered_OnceAProcess()
    {
        var log = new RunLog(logs.For<JobRunner>());
        var result = new JobResult
        {
            Job = "test",
            RunId = "1",
            Replica = "a",
            Started = time.GetUtcNow(),
            DurationSeconds = 0,
            Outcome = JobOutcome.Success,
            Unavailable = ["CONFIG GET"],
        };
        log.Ended(result);
        log.Ended(result);
        logs.WithEvent(2004).Count.ShouldBe(1);
        logs.WithEvent(2000).Count.ShouldBe(2);
    }

    public void Dispose() => logs.Dispose();

    private async Task<JobResult> RunAsync(Func<JobContext, CancellationToken, Task> work, CancellationToken cancellationToken = default)
    {
        var job = new FakeJob(work);
        var registration = new JobRegistration("test", LeaselessRuns.Never, _ => job, _ => new JobOptions { Schedule = "00:01:00" });
        var execution = new JobExecution(
            new ServiceCollection().BuildServiceProvider(), new RunLog(logs.For<JobRunner>()), new ReplicaName("a"), time);
        var request = new RunRequest("test");
        var (ending, report, duration) = await execution.WorkAsync(registration, request, "1", cancellationToken);
        return execution.Result(request, "1", time.GetUtcNow(), ending, report, duration);
    }

    private sealed class FakeJob(Func<JobContext, CancellationToken, Task> work) : IMaintenanceJob
    {
        public string Name => "test";

        public Task RunAsync(JobContext context, CancellationToken cancellationToken) => work(context, cancellationToken);
    }
}
