using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Scheduling;

/// <summary>What keeps a run from beginning: a pause, another run, a clock that is ahead.</summary>
[Collection(JobRunnerCollection.Name)]
public sealed class RunRefusalTests(RedisFixture redis) : JobRunnerTestBase(redis)
{
    [Fact]
    public async Task RunAsync_IsSkipped_WhilePausedInRedis_AndRunsAfterwards()
    {
        await using var replica = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask);
        await replica.Pause.SetAsync(TimeSpan.FromMinutes(1), "a test", CancellationToken.None);
        (await Server.IntegerAsync("PTTL", "maintenance:pause")).ShouldBeInRange(1, 60_000);
        var skipped = await replica.RunAsync(Midnight);
        skipped.Outcome.ShouldBe(JobOutcome.Skipped);
        skipped.Reason!.ShouldContain("a test");

        (await replica.Pause.EndAsync("a test", CancellationToken.None)).ShouldBeTrue();
        (await replica.RunAsync(Midnight)).Outcome.ShouldBe(JobOutcome.Success);
    }

    [Fact]
    public async Task RunAsync_IsSkipped_WhilePausedBySetting()
    {
        await using var replica = new RunnerHarness(
            Server.Url, (_, _) => Task.CompletedTask, settings: ("Jobs:Paused", "true"));
        (await replica.RunAsync(Midnight)).Reason!.ShouldContain("Jobs:Paused");
    }

    [Fact]
    public async Task BeginAsync_RefusesASecondRun_HereAndElsewhere()
    {
        var entered = new TaskCompletionSource();
        var leave = new TaskCompletionSource();
        await using var here = new RunnerHarness(
            Server.Url,
            async (_, _) =>
            {
                entered.SetResult();
                await leave.Task;
            });
        await using var elsewhere = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask, "b");
        var running = here.RunAsync();
        await entered.Task;
        here.Runner.Running(RunnerHarness.JobName).ShouldNotBeNull();
        (await here.Runner.BeginAsync(new RunRequest(RunnerHarness.JobName), CancellationToken.None)).Refusal.ShouldBe(RunRefusal.Running);
        (await elsewhere.Runner.BeginAsync(new RunRequest(RunnerHarness.JobName), CancellationToken.None)).Refusal.ShouldBe(RunRefusal.Running);
        leave.SetResult();
        await running;
        here.Runner.Running(RunnerHarness.JobName).ShouldBeNull();
    }

    [Fact]
    public async Task RunAsync_IsSkipped_WhenThisReplicasClockRunsAhead()
    {
        await using var replica = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask);
        var result = await replica.Runner.RunAsync(
            new RunRequest(RunnerHarness.JobName) { Due = TimeProvider.System.GetUtcNow().AddDays(1), Interval = TimeSpan.FromHours(1) }, CancellationToken.None);
        result.Outcome.ShouldBe(JobOutcome.Skipped);
        result.Reason!.ShouldContain("clock");
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("a word")]
    public async Task RunAsync_IsSkipped_WhateverTheKeyOfThePauseSays(string text)
    {
        await Server.ExecuteAsync("SET", "maintenance:pause", text);
        await using var replica = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask);
        (await replica.RunAsync(Midnight)).Outcome.ShouldBe(JobOutcome.Skipped);
    }
}
