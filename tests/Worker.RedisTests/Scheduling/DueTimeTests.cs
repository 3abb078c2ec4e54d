using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Scheduling;

/// <summary>A due time is done once, by whichever replica can: waited for, taken over, tried again, or given up.</summary>
[Collection(JobRunnerCollection.Name)]
public sealed class DueTimeTests(RedisFixture redis) : JobRunnerTestBase(redis)
{
    [Fact]
    public async Task RunAsync_DoesADueTimeOnce_OnManyReplicas()
    {
        var runs = 0;
        var replicas = Enumerable.Range(0, 4).Select(i => new RunnerHarness(
            Server.Url,
            (_, _) =>
            {
                Interlocked.Increment(ref runs);
                return Task.CompletedTask;
            },
            $"r{i}")).ToList();
        for (var due = 0; due < 10; due++)
        {
            await Task.WhenAll(replicas.Select(replica => replica.RunAsync(Midnight.AddSeconds(due))));
        }

        runs.ShouldBe(10);
        (await replicas[0].Store.ReadAsync(RunnerHarness.JobName, CancellationToken.None)).Select(result => result.Due).Distinct().Count().ShouldBe(10);
        foreach (var replica in replicas)
        {
            await replica.DisposeAsync();
        }
    }

    [Fact]
    public async Task RunDueAsync_TakesOver_WhenTheHolderGivesUp()
    {
        var entered = new TaskCompletionSource();
        await using var holder = Holder(entered);
        await using var other = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask, "other", lease: TimeSpan.FromSeconds(9));
        var holding = holder.RunAsync(Midnight);
        await entered.Task;
        var waiting = other.Runner.RunDueAsync(new RunRequest(RunnerHarness.JobName) { Due = Midnight }, DateTimeOffset.MaxValue, CancellationToken.None);

        holder.Lifetime.StopApplication();
        var canceled = await holding;
        canceled.Outcome.ShouldBe(JobOutcome.Canceled);
        canceled.Reason.ShouldBe("shutdown");
        var taken = await waiting.WaitAsync(TimeSpan.FromSeconds(60));
        taken.Outcome.ShouldBe(JobOutcome.Success);
        taken.Replica.ShouldBe("other");
    }

    [Fact]
    public async Task RunDueAsync_GivesUp_WhenTheNextDueTimeHasCome()
    {
        var entered = new TaskCompletionSource();
        var leave = new TaskCompletionSource();
        await using var holder = new RunnerHarness(
            Server.Url,
            async (_, _) =>
            {
                entered.SetResult();
                await leave.Task;
            },
            "holder");
        await using var other = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask, "other");
        var holding = holder.RunAsync(Midnight);
        await entered.Task;
        var result = await other.Runner.RunDueAsync(
            new RunRequest(RunnerHarness.JobName) { Due = Midnight }, TimeProvider.System.GetUtcNow(), CancellationToken.None);
        result.Outcome.ShouldBe(JobOutcome.Skipped);
        result.Reason!.ShouldContain("holder");
        leave.SetResult();
        (await holding).Outcome.ShouldBe(JobOutcome.Success);
    }

    [Fact]
    public async Task RunDueAsync_IsDoneWhenRedisIsBack_WhenItWasAwayAtTheDueTime_AndToldOnce()
    {
        await using var server = await RedisServer.StartAsync();
        // Gone and not only silent, so that calls fail at once and their deadline is long: once it is back, a stall is not one more failure.
        await using var replica = new RunnerHarness(server.Url, (_, _) => Task.CompletedTask);
        await replica.ConnectAsync();
        await server.KillAsync();
        var running = replica.Runner.RunDueAsync(new RunRequest(RunnerHarness.JobName) { Due = Midnight }, DateTimeOffset.MaxValue, CancellationToken.None);
        await Eventually.TrueAsync(() => replica.Cache.Results(RunnerHarness.JobName).Count == 1, TimeSpan.FromSeconds(60));
        await server.RestartAsync();

        var result = await running.WaitAsync(TimeSpan.FromSeconds(120));

        result.Outcome.ShouldBe(JobOutcome.Success);
        replica.Cache.Results(RunnerHarness.JobName).Select(each => each.Outcome).ShouldBe([JobOutcome.Success, JobOutcome.Failed]);
        (await server.StringAsync("HGET", "maintenance:lease:" + RunnerHarness.JobName, "done")).ShouldBe($"{Midnight.ToUnixTimeMilliseconds()}");
    }

    [Fact]
    public async Task RunDueAsync_RunsAgain_WhenARunBrokeOffBecauseRedisWasAway()
    {
        var runs = 0;
        await using var replica = new RunnerHarness(
            Server.Url,
            (_, _) => ++runs < 3 ? throw new StorageUnavailableException(UnavailableReason.Deadline, "away for a moment") : Task.CompletedTask,
            lease: TimeSpan.FromSeconds(9));
        var result = await replica.Runner
            .RunDueAsync(new RunRequest(RunnerHarness.JobName) { Due = Midnight }, DateTimeOffset.MaxValue, CancellationToken.None)
            .WaitAsync(TimeSpan.FromSeconds(120));
        result.Outcome.ShouldBe(JobOutcome.Success);
        runs.ShouldBe(3);
    }

    [Fact]
    public async Task RunDueAsync_DoesNotRunAgain_WhenTheJobFailedOfItself_OrTheNextDueTimeHasCome()
    {
        var runs = 0;
        Exception problem = new InvalidOperationException("on purpose");
        await using var replica = new RunnerHarness(Server.Url, (_, _) =>
        {
            runs++;
            throw problem;
        });
        var failed = await replica.Runner.RunDueAsync(
            new RunRequest(RunnerHarness.JobName) { Due = Midnight }, DateTimeOffset.MaxValue, CancellationToken.None);
        failed.Outcome.ShouldBe(JobOutcome.Failed);
        runs.ShouldBe(1);

        problem = new StorageUnavailableException(UnavailableReason.Deadline, "away");
        var away = await replica.Runner.RunDueAsync(
            new RunRequest(RunnerHarness.JobName) { Due = Midnight.AddSeconds(1) }, TimeProvider.System.GetUtcNow(), CancellationToken.None);
        away.Outcome.ShouldBe(JobOutcome.Failed);
        runs.ShouldBe(2);
    }

    [Fact]
    public async Task RunDueAsync_CountsNoSkippedRun_WhenAnotherReplicaHasDoneIt()
    {
        await using var first = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask);
        await using var second = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask, "b");
        using var runs = new MetricCollector<long>(second.Meters, "maintenance.job.runs");
        await first.RunAsync(Midnight);
        var result = await second.Runner.RunDueAsync(
            new RunRequest(RunnerHarness.JobName) { Due = Midnight }, DateTimeOffset.MaxValue, CancellationToken.None);
        result.Outcome.ShouldBe(JobOutcome.Skipped);
        runs.Sum(("task", RunnerHarness.JobName), ("outcome", "skipped")).ShouldBe(0);

        await second.Pause.SetAsync(TimeSpan.FromMinutes(1), "a test", CancellationToken.None);
        await second.Runner.RunDueAsync(
            new RunRequest(RunnerHarness.JobName) { Due = Midnight.AddSeconds(1) }, DateTimeOffset.MaxValue, CancellationToken.None);
        runs.Sum(("task", RunnerHarness.JobName), ("outcome", "skipped")).ShouldBe(1);
    }
}
