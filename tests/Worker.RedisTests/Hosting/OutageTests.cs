using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Hosting;

/// <summary>The real process and a Redis that comes and goes.</summary>
public sealed class OutageTests
{
    // The host allows itself 8 s; the rest is a busy machine's.
    private static readonly TimeSpan TerminationLimit = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private static readonly (string, string)[] Fast =
        [("Jobs__RedisHealth__Schedule", "00:00:01"), ("Lease__Duration", "00:00:03"), ("Storage__Redis__Deadline", "00:00:00.25"), ("Storage__Redis__ConnectTimeout", "00:00:05"), ("Jobs__RedisHealth__CallDeadline", "00:00:01")];

    [Fact]
    public async Task Worker_SaysUnhealthyThenHealthy_AndCrashesNever_WhenRedisIsKilledAndRestarted()
    {
        await using var server = await RedisServer.StartAsync();
        await using var worker = await WorkerProcess.StartAsync(server.Url, Fast);
        await ProbeSaysAsync(worker, "healthy");

        await server.KillAsync();
        await ProbeSaysAsync(worker, "unhealthy");
        await Eventually.TrueAsync(async () => await worker.StatusAsync("/healthz/ready") == 503, Patience);
        (await worker.StatusAsync("/healthz/live")).ShouldBe(200);
        (await worker.StatusAsync("/metrics")).ShouldBe(200);

        await server.RestartAsync();
        await ProbeSaysAsync(worker, "healthy");
        await Eventually.TrueAsync(async () => await worker.StatusAsync("/healthz/ready") == 200, Patience);
        (await worker.TerminateAsync()).ShouldBeLessThan(TerminationLimit);
        worker.Process.ExitCode.ShouldBe(0, worker.Process.Tail());
    }

    [Fact]
    public async Task Worker_StartsWhileRedisIsDown_AndWorksOnceItIsUp()
    {
        await using var server = await RedisServer.StartAsync();
        await server.KillAsync();
        await using var worker = await WorkerProcess.StartAsync(server.Url, Fast);
        (await worker.StatusAsync("/healthz/live")).ShouldBe(200);
        (await worker.StatusAsync("/healthz/ready")).ShouldBe(503);
        await ProbeSaysAsync(worker, "unhealthy");

        await server.RestartAsync();
        await ProbeSaysAsync(worker, "healthy");
        await Eventually.TrueAsync(async () => await worker.StatusAsync("/healthz/ready") == 200, Patience);
    }

    [Fact]
    public async Task Worker_AnswersScrapes_AndEndsInTime_WhileRedisStandsStill()
    {
        await using var server = await RedisServer.StartAsync();
        // Long, so that a scrape that asked Redis is told from one that a busy machine holds up.
        var deadline = TimeSpan.FromSeconds(3);
        await using var worker = await WorkerProcess.StartAsync(server.Url, [.. Fast, ("Storage__Redis__Deadline", $"{deadline}")]);
        await ProbeSaysAsync(worker, "healthy");
        await server.PauseAsync();
        await Eventually.TrueAsync(async () => await worker.StatusAsync("/healthz/ready") == 503, Patience);

        // The quickest of several: one that asked Redis would wait each time, and a busy machine holds up one or two.
        var quickest = TimeSpan.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var started = TimeProvider.System.GetTimestamp();
            (await worker.StatusAsync("/metrics")).ShouldBe(200);
            var elapsed = TimeProvider.System.GetElapsedTime(started);
            quickest = elapsed < quickest ? elapsed : quickest;
        }

        quickest.ShouldBeLessThan(deadline, "a scrape never touches Redis");
        (await worker.TerminateAsync()).ShouldBeLessThan(TerminationLimit);
        await server.ResumeAsync();
    }

    private static Task ProbeSaysAsync(WorkerProcess worker, string status) => Eventually.TrueAsync(
        async () =>
        {
            var results = (await worker.JsonAsync($"/api/jobs/{JobNames.RedisHealth}")).GetProperty("results");
            return results.GetArrayLength() > 0
                && results[0].TryGetProperty("snapshot", out var snapshot)
                && snapshot.GetProperty("status").GetString() == status;
        },
        Patience);
}
