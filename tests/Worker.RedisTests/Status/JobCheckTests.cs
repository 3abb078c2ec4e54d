using Maintenance.Testing;
using Maintenance.Worker.RedisTests.Scheduling;
using Maintenance.Worker.Scheduling;
using Maintenance.Worker.Status;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Maintenance.Worker.RedisTests.Status;

public sealed class JobCheckTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    private readonly DateTimeOffset now = TimeProvider.System.GetUtcNow();

    public Task InitializeAsync() => redis.Server.FlushAllAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Check_IsOverdue_WhenTheOnlyResultIsOfAClockThatRanAhead()
    {
        await using var replica = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask);
        Schedule(replica);
        await RecordAsync(replica, now.AddDays(1));
        var check = await CheckAsync(replica);
        check.Status.ShouldBe(HealthStatus.Degraded);
        check.Description!.ShouldStartWith("Overdue");

        await RecordAsync(replica, now.AddMinutes(-1));
        check = await CheckAsync(replica);
        check.Status.ShouldBe(HealthStatus.Healthy, check.Description);
    }

    [Fact]
    public async Task Check_SaysRunning_HereAndElsewhere_WhenARunTakesLongerThanTwoIntervals()
    {
        var entered = new TaskCompletionSource();
        var leave = new TaskCompletionSource();
        await using var here = new RunnerHarness(redis.Server.Url, async (_, _) =>
        {
            entered.SetResult();
            await leave.Task;
        });
        await using var elsewhere = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask, "b");
        Schedule(here);
        Schedule(elsewhere);
        (await CheckAsync(here)).Description!.ShouldStartWith("Overdue");
        var running = here.RunAsync();
        await entered.Task;
        await elsewhere.RunAsync();

        var check = await CheckAsync(here);
        (check.Status, check.Description![..13]).ShouldBe((HealthStatus.Healthy, "Running since"));
        check = await CheckAsync(elsewhere);
        (check.Status, check.Description).ShouldBe((HealthStatus.Healthy, "Running on a."));
        leave.SetResult();
        await running;
    }

    private void Schedule(RunnerHarness replica) => replica.Board.Set(RunnerHarness.JobName, Interval, now - (Interval * 3), now);

    private static Task RecordAsync(RunnerHarness replica, DateTimeOffset started) => replica.Cache.RecordAsync(
        new JobResult
        {
            Job = RunnerHarness.JobName,
            RunId = $"{started.Ticks}",
            Replica = "a",
            Started = started,
            DurationSeconds = 1,
            Outcome = JobOutcome.Success,
        },
        CancellationToken.None);

    private static Task<HealthCheckResult> CheckAsync(RunnerHarness replica) =>
        new JobCheck(replica.Registration, replica.Cache, replica.Board, replica.Runner, TimeProvider.System).CheckHealthAsync(new HealthCheckContext());
}
