using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Hosting;

/// <summary>Two real workers on one Redis.</summary>
public sealed class TwoWorkersTests
{
    private const string SlowJob = JobNames.SessionCleanup;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    // A tiny budget makes a run that lasts; nothing in the worker is made slow for a test.
    private static readonly (string, string)[] Slow =
    [
        ("Lease__Duration", $"{Lease}"),
        // Long, so that no next due time comes while a test runs.
        ("Jobs__SessionCleanup__Schedule", "30.00:00:00"),
        ("Jobs__SessionCleanup__Budget__CommandsPerSecond", "5"),
        ("Jobs__SessionCleanup__Budget__ScanCount", "10"),
        ("Jobs__SessionCleanup__Budget__BatchSize", "5"),
        ("Jobs__RedisHealth__Enabled", "false"),
        ("Results__RefreshInterval", "00:00:01"),
    ];

    [Fact]
    public async Task EachDueTimeRunsOnce_OnTwoWorkers()
    {
        const int Intervals = 10;
        await using var server = await RedisServer.StartAsync();
        (string, string)[] settings = [("Jobs__RedisHealth__Schedule", "00:00:02"), ("Jobs__RedisHealth__Jitter", "00:00:02")];
        await using var a = await WorkerProcess.StartAsync(server.Url, settings);
        await using var b = await WorkerProcess.StartAsync(server.Url, settings);

        var results = new List<JobResult>();
        await Eventually.TrueAsync(
            async () =>
            {
                results = await ResultsAsync(server, JobNames.RedisHealth);
                return results.Count > Intervals;
            },
            TimeSpan.FromSeconds(60));

        var dues = results.Select(result => result.Due!.Value).Order().ToList();
        dues.Distinct().Count().ShouldBe(dues.Count, "no due time ran twice");
        dues.Zip(dues.Skip(1)).ShouldAllBe(pair => pair.Second - pair.First == TimeSpan.FromSeconds(2), "no due time was left out");
        results.ShouldAllBe(result => result.Outcome == JobOutcome.Success);

        // Each replica exports the same, whoever ran it.
        await Eventually.TrueAsync(async () => await LastSuccessAsync(a) is { } success && success == await LastSuccessAsync(b), Patience);
    }

    [Fact]
    public async Task AnotherTakesOverWithinTwoLeases_WhenTheHolderIsKilled()
    {
        await using var server = await FilledAsync();
        await using var a = await WorkerProcess.StartAsync(server.Url, Slow);
        await using var b = await WorkerProcess.StartAsync(server.Url, Slow);
        var (holder, other, due) = await HolderAsync(a, b);

        var killed = TimeProvider.System.GetTimestamp();
        await holder.Process.SignalAsync(Signal.Kill);
        await Eventually.TrueAsync(async () => await other.RunningDueAsync(SlowJob) == due, Patience);
        TimeProvider.System.GetElapsedTime(killed).ShouldBeLessThan(Lease * 2);
    }

    [Fact]
    public async Task AHolderThatStoodStill_StopsAndRecordsNothing_WhenItGoesOn()
    {
        await using var server = await FilledAsync();
        var before = await server.KeysAsync("session:*");
        await using var a = await WorkerProcess.StartAsync(server.Url, Slow);
        await using var b = await WorkerProcess.StartAsync(server.Url, Slow);
        var (holder, other, due) = await HolderAsync(a, b);

        await holder.Process.SignalAsync(Signal.Stop);
        await Eventually.TrueAsync(async () => await other.RunningDueAsync(SlowJob) == due, Patience);
        await holder.Process.SignalAsync(Signal.Continue);
        var resumed = TimeProvider.System.GetTimestamp();
        await Eventually.TrueAsync(async () => await holder.RunningDueAsync(SlowJob) is null, Patience);
        TimeProvider.System.GetElapsedTime(resumed).ShouldBeLessThan(TimeSpan.FromSeconds(2));

        JobResult? stopped = null;
        await Eventually.TrueAsync(
            async () => (stopped = (await ResultsAsync(server, SlowJob)).SingleOrDefault(result => result.Due == due)) is not null, Patience);
        stopped!.Outcome.ShouldBe(JobOutcome.Canceled);
        stopped.Reason.ShouldBe("lease lost");
        (await server.StringAsync("HGET", $"maintenance:lease:{SlowJob}", "done")).ShouldBeNull();
        (await other.RunningDueAsync(SlowJob)).ShouldBe(due, "the one that took over goes on");
        (await server.KeysAsync("session:*")).ShouldBe(before);
    }

    [Fact]
    public async Task TheOtherGoesOn_WhenTheHolderIsTerminated_AndItEndsInTime()
    {
        await using var server = await FilledAsync();
        await using var a = await WorkerProcess.StartAsync(server.Url, Slow);
        await using var b = await WorkerProcess.StartAsync(server.Url, Slow);
        var (holder, other, due) = await HolderAsync(a, b);
        (await holder.TerminateAsync()).ShouldBeLessThan(TimeSpan.FromSeconds(10));
        holder.Process.ExitCode.ShouldBe(0, holder.Process.Tail());
        await Eventually.TrueAsync(async () => await other.RunningDueAsync(SlowJob) == due, Patience);
        (await ResultsAsync(server, SlowJob)).ShouldHaveSingleItem().Reason.ShouldBe("shutdown");
    }

    private static async Task<(WorkerProcess Holder, WorkerProcess Other, DateTimeOffset Due)> HolderAsync(WorkerProcess a, WorkerProcess b)
    {
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

    /// <summary>A server with enough keys that a paced scan lasts longer than the test.</summary>
    private static async Task<RedisServer> FilledAsync()
    {
        var server = await RedisServer.StartAsync();
        var keys = new RedisKeys("");
        await server.ExecuteManyAsync(Enumerable.Range(0, 2000).SelectMany(i =>
        {
            var user = UserReference.Of($"user{i}");
            var id = $"{i:D22}";
            var expiry = $"{TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds()}";
            return new[]
            {
                new[] { "SET", keys.SessionsOf(user) + id, "x", "EX", "3600" },
                ["ZADD", keys.SessionIndex(user), expiry, id],
                ["EXPIRE", keys.SessionIndex(user), "3600"],
            };
        }));
        return server;
    }

    private static async Task<List<JobResult>> ResultsAsync(RedisServer server, string job) =>
        [.. (await server.ListAsync("LRANGE", $"maintenance:results:{{{job}}}", "0", "-1"))
            .Select(json => System.Text.Json.JsonSerializer.Deserialize<JobResult>(json, JobResultJson.Options)!)];

    private static async Task<string?> LastSuccessAsync(WorkerProcess worker) =>
        (await worker.Http.GetStringAsync("/metrics")).Split('\n')
            .FirstOrDefault(line => line.StartsWith("maintenance_job_last_success_timestamp_seconds{task=\"redis-health\"}", StringComparison.Ordinal));
}
