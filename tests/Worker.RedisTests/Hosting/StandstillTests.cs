using System.Globalization;
using System.Text.RegularExpressions;
using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Hosting;

/// <summary>A process that stands still and goes on, as a virtual machine that is paused.</summary>
public sealed partial class StandstillTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Standstill = Interval * 4;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task EachDueTimeOfAStandstill_IsCounted_AndNoneOfThemIsMadeUpFor()
    {
        await using var server = await RedisServer.StartAsync();
        await using var worker = await WorkerProcess.StartAsync(
            server.Url,
            ("Jobs__RedisHealth__Schedule", $"{Interval}"),
            ("Jobs__SessionCleanup__Enabled", "false"),
            ("Jobs__IndexReconciliation__Enabled", "false"),
            ("Jobs__MemoryAlerts__Enabled", "false"),
            ("Jobs__KeyspaceStats__Enabled", "false"));
        await Eventually.TrueAsync(async () => await LastDueAsync(server) is not null, Patience);
        var first = await FirstDueAsync(worker);

        await worker.Process.SignalAsync(Signal.Stop);
        var stopped = TimeProvider.System.GetUtcNow();
        await Eventually.TrueAsync(() => TimeProvider.System.GetUtcNow() - stopped > Standstill, Patience);
        await worker.Process.SignalAsync(Signal.Continue);

        // Every due time since its start has its run or is counted: no more, no less.
        await Eventually.SucceedsAsync(
            async () =>
            {
                var last = await LastDueAsync(server);
                last!.Value.ShouldBeGreaterThan(stopped + Standstill);
                var (runs, passed) = await CountedAsync(worker);
                passed.ShouldBeGreaterThanOrEqualTo(3);
                (runs + passed).ShouldBe((long)((last.Value - first) / Interval) + 1);
            },
            Patience);
    }

    private static async Task<DateTimeOffset?> LastDueAsync(RedisServer server) =>
        (await server.ListAsync("LRANGE", $"maintenance:results:{{{JobNames.RedisHealth}}}", "0", "-1"))
            .Max(json => System.Text.Json.JsonSerializer.Deserialize<JobResult>(json, JobResultJson.Options)!.Due);

    // As the log says it, to the second: enough to know the interval into which it falls. The line may come after the first result.
    private static async Task<DateTimeOffset> FirstDueAsync(WorkerProcess worker)
    {
        var match = ScheduledLine().Match(await worker.Process.WaitForLineAsync(line => ScheduledLine().IsMatch(line), Patience));
        JobSchedule.TryParse($"{Interval}", out var schedule, out _).ShouldBeTrue();
        return schedule.DueOf(DateTimeOffset.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    private static async Task<(long Runs, long Passed)> CountedAsync(WorkerProcess worker)
    {
        var series = (await worker.Http.GetStringAsync("/metrics")).Split('\n');
        return (Sum("maintenance_job_runs_total"), Sum("maintenance_job_misfires_total"));

        long Sum(string name) => series
            .Where(line => line.StartsWith($"{name}{{", StringComparison.Ordinal) && line.Contains($"task=\"{JobNames.RedisHealth}\"", StringComparison.Ordinal))
            .Sum(line => long.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    [GeneratedRegex($"Job {JobNames.RedisHealth} scheduled: .*, first at (.*Z)")]
    private static partial Regex ScheduledLine();
}
