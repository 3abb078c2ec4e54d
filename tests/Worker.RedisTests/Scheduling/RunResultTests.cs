using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Scheduling;

/// <summary>What a run leaves behind: its result, the last success, its metrics.</summary>
[Collection(JobRunnerCollection.Name)]
public sealed class RunResultTests(RedisFixture redis) : JobRunnerTestBase(redis)
{
    [Fact]
    public async Task RunAsync_KeepsItsResult_AndTheLastSuccess_AcrossARestart()
    {
        await using (var first = new RunnerHarness(Server.Url, (context, _) =>
        {
            context.Report.Add("keys_seen", 7);
            return Task.CompletedTask;
        }))
        {
            (await first.RunAsync(Midnight)).Outcome.ShouldBe(JobOutcome.Success);
        }

        await using var second = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask, "b");
        using var success = new MetricCollector<double>(second.Meters, "maintenance.job.last_success.timestamp");
        await second.Cache.RefreshAsync(CancellationToken.None);
        second.Cache.Results(RunnerHarness.JobName).ShouldHaveSingleItem().Counts["keys_seen"].ShouldBe(7);
        second.Cache.LastSuccess(RunnerHarness.JobName).ShouldNotBeNull();
        success.Observe().ShouldHaveSingleItem().Value.ShouldBeGreaterThan(1_700_000_000);
        (await second.RunAsync(Midnight)).Outcome.ShouldBe(JobOutcome.Skipped);
    }

    [Fact]
    public async Task RunAsync_CountsEachOutcome_AndPrimesThemAll()
    {
        await using var replica = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask);
        using var runs = new MetricCollector<long>(replica.Meters, "maintenance.job.runs");
        using var durations = new MetricCollector<double>(replica.Meters, "maintenance.job.duration");
        await replica.RunAsync(Midnight);
        runs.Measurements.Where(measurement => measurement.Value == 0).Select(measurement => measurement.Tags["outcome"]).Order(StringComparer.Ordinal)
            .ShouldBe(["canceled", "failed", "skipped", "success"]);
        runs.Sum(("task", RunnerHarness.JobName), ("outcome", "success")).ShouldBe(1);
        durations.Measurements.ShouldHaveSingleItem();
        replica.Logs.WithEvent(2000).Count.ShouldBe(1);
    }

    [Fact]
    public async Task RunAsync_KeepsTheLast50Results_WithATtl()
    {
        await using var replica = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask);
        for (var i = 0; i < 53; i++)
        {
            await replica.RunAsync();
        }

        var key = $"maintenance:results:{{{RunnerHarness.JobName}}}";
        (await Server.IntegerAsync("LLEN", key)).ShouldBe(50);
        TimeSpan.FromMilliseconds(await Server.IntegerAsync("PTTL", key)).TotalDays.ShouldBeInRange(29.9, 30);
        TimeSpan.FromMilliseconds(await Server.IntegerAsync("PTTL", $"maintenance:last-success:{{{RunnerHarness.JobName}}}")).TotalDays.ShouldBeInRange(399, 400);
    }

    [Fact]
    public async Task RunAsync_ByDryRun_LeavesTheLastSuccess()
    {
        await using var replica = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask);
        (await replica.RunAsync(dryRun: true)).Outcome.ShouldBe(JobOutcome.Success);
        (await Server.KeysAsync("maintenance:last-success:*")).ShouldBeEmpty();
    }
}
