using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Hosting;

/// <summary>Two real workers on one Redis.</summary>
public sealed class TwoWorkersTests
{
    private const string SlowJob = JobNames.SessionCleanup;
    private const string LeaseKey = $"maintenance:lease:{SlowJob}";

    // Renewed when a third of it is over: a worker that is held up for seconds does not lose it.
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    // A tiny budget makes a run that lasts; nothing in the worker is made slow for a test.
    private static readonly (string, string)[] Slow =
    [
        ("Lease__Duration", $"{Lease}"),
        // Long, so that no next due time comes while a test runs.
        ("Jobs__SessionCleanup__Schedule", "30.00:00:00"),
        ("Jobs__SessionCleanup__Budget__CommandsPerSecond", "40"),
        ("Jobs__SessionCleanup__Budget__DutyCycle", "1"),
        ("Jobs__SessionCleanup__Budget__SlowdownRatio", "1000"),
        ("Jobs__SessionCleanup__Budget__ScanCount", "10"),
        ("Jobs__SessionCleanup__Budget__BatchSize", "5"),
        // A reconciliation would drop the expired members too, and at full speed.
        ("Jobs__IndexReconciliation__Enabled", "false"),
        ("Jobs__RedisHealth__Enabled", "false"),
        ("Results__RefreshInterval", "00:00:01"),
    ];

    [Fact]
    public async Task EachDueTimeRunsOnce_OnTwoWorkers()
    {
        const int Intervals = 5;
        await using var server = await RedisServer.StartAsync();
        (string, string)[] settings = [("Jobs__RedisHealth__Schedule", "00:00:05"), ("Jobs__RedisHealth__Jitter", "00:00:05")];
        await using var a = await WorkerProcess.StartAsync(server.Url, settings);
        await using var b = await WorkerProcess.StartAsync(server.Url, settings);
        // Before that one of them is alone, and a due time for which it comes too late is left to the next, which is no misfire.
        var both = TimeProvider.System.GetUtcNow().AddSeconds(5);

        List<JobResult> results = [];
        await Eventually.TrueAsync(
            async () => (results = await ResultsAsync(server, JobNames.RedisHealth)).Count(result => result.Due >= both) > Intervals,
            Patience);

        // A machine that stands still passes over due times of both workers, or of one while the other is not there yet: whoever does counts them when it goes on.
        await Eventually.SucceedsAsync(
            async () =>
            {
                results = await ResultsAsync(server, JobNames.RedisHealth);
                var shared = results.Select(result => result.Due!.Value).Where(due => due >= both).ToList();
                var left = (int)((shared.Max() - shared.Min()) / TimeSpan.FromSeconds(5)) + 1 - shared.Count;
                ((double)left).ShouldBeLessThanOrEqualTo(await MisfiresAsync(a) + await MisfiresAsync(b), "no due time was left out");
            },
            Patience);
        var dues = results.Select(result => result.Due!.Value).Order().ToList();
        dues.Distinct().Count().ShouldBe(dues.Count, "no due time ran twice");
        dues.ShouldAllBe(due => (due - dues[0]).Ticks % TimeSpan.FromSeconds(5).Ticks == 0);
        results.ShouldAllBe(result => result.Outcome == JobOutcome.Success);

        // Each replica exports the same, whoever ran it.
        await Eventually.TrueAsync(async () => await LastSuccessAsync(a) is { } success && success == await LastSuccessAsync(b), Patience);
    }

    [Fact]
    public async Task AnotherTakesOverWithinTwoLeases_AndRecordsTheRun_WhenTheHolderIsKilled()
    {
        await using var server = await RedisServer.StartAsync();
        await using var store = await DamagedStore.PlantAsync(server);
        await HoldLeaseAsync(server);
        await using var a = await WorkerProcess.StartAsync(server.Url, Slow);
        await using var b = await WorkerProcess.StartAsync(server.Url, Slow);
        var (holder, other, due) = await HolderAsync(server, a, b);
        await store.BegunAsync();

        var killed = TimeProvider.System.GetTimestamp();
        await holder.Process.SignalAsync(Signal.Kill);
        await Eventually.TrueAsync(async () => await other.RunningDueAsync(SlowJob) == due, Patience);
        TimeProvider.System.GetElapsedTime(killed).ShouldBeLessThan(Lease * 2);

        var result = (await EndedAsync(server, other, results: 1)).ShouldHaveSingleItem();
        (result.Outcome, result.Due).ShouldBe((JobOutcome.Success, due));
        await store.ShouldBeCleanAsync();
    }

    [Fact]
    public async Task AHolderThatStoodStill_DoesNoHarm_AndRecordsNothing_WhenItGoesOn()
    {
        await using var server = await RedisServer.StartAsync();
        await using var store = await DamagedStore.PlantAsync(server);
        await HoldLeaseAsync(server);
        await using var a = await WorkerProcess.StartAsync(server.Url, Slow);
        await using var b = await WorkerProcess.StartAsync(server.Url, Slow);
        var (holder, other, due) = await HolderAsync(server, a, b);

        // In the middle of its work: what it knew of the store is old when it goes on.
        await store.BegunAsync();
        await holder.Process.SignalAsync(Signal.Stop);
        await Eventually.TrueAsync(async () => await other.RunningDueAsync(SlowJob) == due, Patience);
        await store.LogInAgainAsync();
        await holder.Process.SignalAsync(Signal.Continue);
        var resumed = TimeProvider.System.GetTimestamp();
        await Eventually.TrueAsync(async () => await holder.RunningDueAsync(SlowJob) is null, Patience);
        // Within 2 s on a machine that does not stall; far from the end of its run in any case, which below is "lease lost".
        TimeProvider.System.GetElapsedTime(resumed).ShouldBeLessThan(Lease);
        (await other.RunningDueAsync(SlowJob)).ShouldBe(due, "the one that took over goes on");
        (await server.StringAsync("HGET", LeaseKey, "done")).ShouldBeNull();

        var results = await EndedAsync(server, other, results: 2);
        results.ShouldAllBe(result => result.Due == due);
        results.Select(result => (result.Outcome, result.Reason)).ShouldBe(
            [(JobOutcome.Success, null), (JobOutcome.Canceled, "lease lost")], ignoreOrder: true);
        results.Single(result => result.Outcome == JobOutcome.Canceled).Replica.ShouldNotBe(
            results.Single(result => result.Outcome == JobOutcome.Success).Replica);
        (await server.StringAsync("HGET", LeaseKey, "done")).ShouldBe($"{due.ToUnixTimeMilliseconds()}");
        await store.ShouldBeCleanAsync();
    }

    [Fact]
    public async Task AFiringThatCameTooLate_IsCounted_WhenTheRunBeforeTookLongerThanTheInterval()
    {
        await using var server = await RedisServer.StartAsync();
        await using var store = await DamagedStore.PlantAsync(server);
        await using var worker = await WorkerProcess.StartAsync(server.Url, [.. Slow, ("Jobs__SessionCleanup__Schedule", "00:00:02")]);
        await Eventually.TrueAsync(
            async () => (await worker.Http.GetStringAsync("/metrics")).Split('\n').Any(line =>
                line.StartsWith("maintenance_job_misfires_total{task=\"session-cleanup\"}", StringComparison.Ordinal)
                && !line.EndsWith(" 0", StringComparison.Ordinal)),
            Patience);

        // Each run belongs to the due time that it meets, not to the ones that it missed.
        await Eventually.TrueAsync(async () => (await ResultsAsync(server, SlowJob)).Count >= 2, Patience);
        var dues = (await ResultsAsync(server, SlowJob)).Select(result => result.Due!.Value).Order().ToList();
        (dues[1] - dues[0]).ShouldBeGreaterThan(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task ARunAskedForOverHttp_IsToldOf_AndItsLeaseGivenBack_WhenTheWorkerEnds()
    {
        await using var server = await RedisServer.StartAsync();
        await using var store = await DamagedStore.PlantAsync(server);
        await using var worker = await WorkerProcess.StartAsync(server.Url, [.. Slow, ("Jobs__SessionCleanup__Enabled", "false")]);
        (await worker.SendAsync(HttpMethod.Post, $"/api/jobs/{SlowJob}/run")).Status.ShouldBe(202);
        await store.BegunAsync();
        (await worker.TerminateAsync()).ShouldBeLessThan(TimeSpan.FromSeconds(25));
        worker.Process.ExitCode.ShouldBe(0, worker.Process.Tail());
        (await ResultsAsync(server, SlowJob)).ShouldHaveSingleItem().Reason.ShouldBe("shutdown");
        (await server.StringAsync("HGET", LeaseKey, "holder")).ShouldBeNull();
    }

    [Fact]
    public async Task TheOtherGoesOn_WhenTheHolderIsTerminated_AndItEndsInTime()
    {
        await using var server = await RedisServer.StartAsync();
        await using var store = await DamagedStore.PlantAsync(server);
        await HoldLeaseAsync(server);
        await using var a = await WorkerProcess.StartAsync(server.Url, Slow);
        await using var b = await WorkerProcess.StartAsync(server.Url, Slow);
        var (holder, other, due) = await HolderAsync(server, a, b);
        (await holder.TerminateAsync()).ShouldBeLessThan(TimeSpan.FromSeconds(25));
        holder.Process.ExitCode.ShouldBe(0, holder.Process.Tail());
        await Eventually.TrueAsync(async () => await other.RunningDueAsync(SlowJob) == due, Patience);
        (await ResultsAsync(server, SlowJob))[^1].Reason.ShouldBe("shutdown", "the holder's is the first");
    }

    // Keeps the first worker from its run until the second is there too, however long that takes.
    private static async Task HoldLeaseAsync(RedisServer server) =>
        await server.ExecuteAsync("HSET", LeaseKey, "holder", "test", "replica", "test", "until", $"{TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds()}");

    private static async Task<(WorkerProcess Holder, WorkerProcess Other, DateTimeOffset Due)> HolderAsync(RedisServer server, WorkerProcess a, WorkerProcess b)
    {
        await server.ExecuteAsync("DEL", LeaseKey);
        (WorkerProcess, WorkerProcess, DateTimeOffset)? found = null;
        await Eventually.TrueAsync(
            async () =>
            {
                var dues = await Task.WhenAll(a.RunningDueAsync(SlowJob), b.RunningDueAsync(SlowJob));
                found = dues[0] is { } first ? (a, b, first) : dues[1] is { } second ? (b, a, second) : null;
                return found is not null;
            },
            Patience);
        return found!.Value;
    }

    /// <summary>The job's results once the taker has ended its run.</summary>
    private static async Task<List<JobResult>> EndedAsync(RedisServer server, WorkerProcess taker, int results)
    {
        await Eventually.TrueAsync(async () => await taker.RunningDueAsync(SlowJob) is null, Patience);
        await Eventually.TrueAsync(async () => (await ResultsAsync(server, SlowJob)).Count >= results, Patience);
        return await ResultsAsync(server, SlowJob);
    }

    private static async Task<List<JobResult>> ResultsAsync(RedisServer server, string job) =>
        [.. (await server.ListAsync("LRANGE", $"maintenance:results:{{{job}}}", "0", "-1"))
            .Select(json => System.Text.Json.JsonSerializer.Deserialize<JobResult>(json, JobResultJson.Options)!)];

    private static async Task<double> MisfiresAsync(WorkerProcess worker)
    {
        const string Series = "maintenance_job_misfires_total{task=\"redis-health\"} ";
        return (await worker.Http.GetStringAsync("/metrics")).Split('\n').FirstOrDefault(line => line.StartsWith(Series, StringComparison.Ordinal)) is { } line
            ? double.Parse(line[Series.Length..], System.Globalization.CultureInfo.InvariantCulture)
            : 0;
    }

    private static async Task<string?> LastSuccessAsync(WorkerProcess worker) =>
        (await worker.Http.GetStringAsync("/metrics")).Split('\n')
            .FirstOrDefault(line => line.StartsWith("maintenance_job_last_success_timestamp_seconds{task=\"redis-health\"}", StringComparison.Ordinal));
}
