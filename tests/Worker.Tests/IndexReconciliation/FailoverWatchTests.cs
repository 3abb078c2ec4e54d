using Maintenance.Testing;
using Maintenance.Worker.IndexReconciliation;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Worker.Tests.IndexReconciliation;

public sealed class FailoverWatchTests
{
    private readonly LatestSnapshot<RedisHealthSnapshot> probes = new();
    private readonly LatestSnapshot<IndexReconciliationSnapshot> passes = new();
    private readonly ManualTimeProvider time = new();
    private int asked;
    private bool begins = true;

    [Fact]
    public async Task Trap8_Watch_AsksForOnePass_WhenTheProbeMeetsAnotherServerThanTheLastPass()
    {
        using var watch = new FailoverWatch(probes, passes, _ => Count(), time, NullLogger<FailoverWatch>.Instance);
        Swept("a");
        Probed("a");
        await LookAsync(watch, times: 2);
        asked.ShouldBe(0);

        Probed("b");
        await LookAsync(watch, times: 1);
        asked.ShouldBe(0, "a new primary has a moment to settle");
        await LookAsync(watch, times: 1);
        asked.ShouldBe(1);

        // The pass failed, or the probe is old: it does not ask again for the same server, but for the next one.
        await LookAsync(watch, times: 3);
        asked.ShouldBe(1);
        Probed("c");
        await LookAsync(watch, times: 2);
        asked.ShouldBe(2);
        Swept("c");
        await LookAsync(watch, times: 3);
        asked.ShouldBe(2);
    }

    [Fact]
    public async Task Watch_AsksForAPass_WhenAPrimaryOfAClusterWasNotSwept_ButNotForOneThatIsDown()
    {
        using var watch = new FailoverWatch(probes, passes, _ => Count(), time, NullLogger<FailoverWatch>.Instance);
        Swept("a,b,c");
        Probed("c", "a");
        await LookAsync(watch, times: 3);
        asked.ShouldBe(0, "one is down, and nobody has taken its place");

        Probed("c", "d", "a");
        await LookAsync(watch, times: 3);
        asked.ShouldBe(1, "its replica has");

        Swept("a,c,d");
        await LookAsync(watch, times: 3);
        asked.ShouldBe(1);
    }

    [Fact]
    public async Task Watch_LooksByItself_WhileTheWorkerServes()
    {
        using var watch = new FailoverWatch(probes, passes, _ => Count(), time, NullLogger<FailoverWatch>.Instance);
        Swept("a");
        Probed("b");
        await watch.StartAsync(CancellationToken.None);

        await Eventually.TrueAsync(() =>
        {
            time.Advance(FailoverWatch.Interval);
            return asked == 1;
        });

        await watch.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Watch_AsksAgain_WhenThePassCouldNotBegin_ButNotAtEachLook()
    {
        begins = false;
        using var watch = new FailoverWatch(probes, passes, _ => Count(), time, NullLogger<FailoverWatch>.Instance);
        Swept("a");
        Probed("b");
        await LookAsync(watch, times: 2);
        asked.ShouldBe(1);
        await LookAsync(watch, times: 5);
        asked.ShouldBe(1);

        begins = true;
        await LookAsync(watch, times: 1);
        asked.ShouldBe(2);
        await LookAsync(watch, times: 20);
        asked.ShouldBe(2, "that one began");
    }

    private Task<bool> Count()
    {
        asked++;
        return Task.FromResult(begins);
    }

    private static async Task LookAsync(FailoverWatch watch, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await watch.LookAsync(CancellationToken.None);
        }
    }

    private void Swept(string server) => Show(passes, new IndexReconciliationSnapshot(0, 0, 0, 0, 0, 0, server));

    private void Probed(params string[] servers) => Show(probes, new RedisHealthSnapshot
    {
        Status = HealthStatus.Healthy,
        Nodes = [.. servers.Select((server, i) => new NodeHealth { Node = $"redis-{i}:6379", Status = HealthStatus.Healthy, Role = "master", RunId = server })],
    });

    private static void Show<T>(LatestSnapshot<T> latest, T snapshot)
        where T : class
    {
        var report = new JobReport();
        report.SetSnapshot(snapshot);
        latest.Take(new JobResult
        {
            Job = "any",
            RunId = "1",
            Replica = "r",
            Started = DateTimeOffset.UnixEpoch,
            DurationSeconds = 1,
            Outcome = JobOutcome.Success,
            Snapshot = report.Close().Snapshot,
        });
    }
}
