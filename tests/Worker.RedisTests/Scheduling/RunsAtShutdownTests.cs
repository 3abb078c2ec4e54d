using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Scheduling;

/// <summary>What the runner does when the host stops.</summary>
[Collection(JobRunnerCollection.Name)]
public sealed class RunsAtShutdownTests(RedisFixture redis) : JobRunnerTestBase(redis)
{
    [Fact]
    public async Task RunDueAsync_EndsAtOnce_WhenTheHostStopsWhileItWaitsForALease()
    {
        var entered = new TaskCompletionSource();
        await using var holder = Holder(entered);
        // It looks again every 100 s.
        await using var other = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask, "other", lease: TimeSpan.FromMinutes(5));
        var holding = holder.RunAsync(Midnight);
        await entered.Task;
        var waiting = other.Runner.RunDueAsync(new RunRequest(RunnerHarness.JobName) { Due = Midnight }, DateTimeOffset.MaxValue, CancellationToken.None);
        await Eventually.TrueAsync(() => other.Runner.Elsewhere(RunnerHarness.JobName) is not null, TimeSpan.FromSeconds(60));

        other.Lifetime.StopApplication();

        await Should.ThrowAsync<OperationCanceledException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(60)));
        holder.Lifetime.StopApplication();
        await holding;
    }

    [Fact]
    public async Task Firing_EndsAtOnce_WhenTheHostStopsDuringItsJitter()
    {
        // Once a month, so that the jitter may be as long as it is set: but once in a thousand times longer than this test waits.
        await using var replica = new RunnerHarness(
            Server.Url,
            (_, _) => Task.CompletedTask,
            options: new JobOptions { Schedule = "0 0 0 1 * ?", Jitter = TimeSpan.FromDays(1) });
        var firing = replica.Firing.Execute(FiringContext.Of(RunnerHarness.JobName, Midnight)).AsTask();
        firing.IsCompleted.ShouldBeFalse();

        replica.Lifetime.StopApplication();

        await firing.WaitAsync(TimeSpan.FromSeconds(60));
        replica.Cache.Results(RunnerHarness.JobName).ShouldBeEmpty();
    }

    [Fact]
    public async Task StopAsync_WaitsForTheEndOfARunThatNobodyAwaits()
    {
        var entered = new TaskCompletionSource();
        var batchEnds = new TaskCompletionSource();
        await using var replica = new RunnerHarness(Server.Url, async (_, cancellationToken) =>
        {
            entered.SetResult();
            await batchEnds.Task;
            cancellationToken.ThrowIfCancellationRequested();
        });
        await replica.Runner.BeginAsync(new RunRequest(RunnerHarness.JobName), replica.Lifetime.ApplicationStopping);
        await entered.Task;

        replica.Lifetime.StopApplication();
        var stopping = replica.Ending.StopAsync(CancellationToken.None);
        stopping.IsCompleted.ShouldBeFalse();
        batchEnds.SetResult();
        await stopping;

        (await Server.StringAsync("HGET", "maintenance:lease:" + RunnerHarness.JobName, "holder")).ShouldBeNull();
        (await replica.Store.ReadAsync(RunnerHarness.JobName, CancellationToken.None)).ShouldHaveSingleItem().Reason.ShouldBe("shutdown");
    }

    [Fact]
    public async Task StopAsync_EndsWithTheHostsPatience_WhenARunDoesNot()
    {
        var entered = new TaskCompletionSource();
        var never = new TaskCompletionSource();
        await using var replica = new RunnerHarness(Server.Url, async (_, _) =>
        {
            entered.SetResult();
            await never.Task;
        });
        var start = await replica.Runner.BeginAsync(new RunRequest(RunnerHarness.JobName), CancellationToken.None);
        await entered.Task;
        await replica.Ending.StopAsync(new CancellationToken(canceled: true));
        replica.Logs.WithEvent(2016).Count.ShouldBe(1);
        never.SetResult();
        await start.Completion;
    }
}
