using System.Net;
using System.Text.Json.Nodes;
using Maintenance.Deploy.ChartTests.Images;
using Maintenance.Deploy.ChartTests.Rendering;

namespace Maintenance.Deploy.ChartTests.Running;

/// <summary>The worker, run exactly as the rendered manifests say.</summary>
public sealed class WorkerRunTests(RunOutput output) : IClassFixture<RunOutput>, IClassFixture<PublishedPrograms>
{
    private const string Password = "a, password; with 'every' kind of $(character)";

    private static readonly IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Secrets =
        new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal)
        {
            ["redis"] = new Dictionary<string, string>(StringComparer.Ordinal) { ["password"] = Password },
            ["worker-token"] = new Dictionary<string, string>(StringComparer.Ordinal) { ["token"] = "0123456789abcdef0123456789abcdef" },
        };

    private static Task<RedisServer> StartRedisAsync() =>
        RedisServer.StartAsync(new RedisServerOptions { Password = Password });

    private static string Values(RedisServer redis, int port, string more = "") => $$$$"""
        redis: {host: 127.0.0.1, port: {{{{redis.Port}}}}, existingSecret: redis}
        webHost: {enabled: false}
        worker:
          containerPort: {{{{port}}}}
          token: {existingSecret: worker-token}
          # A thread that is held up is no Redis that does not answer, and no slow command.
          settings: {Jobs: {RedisHealth: {Schedule: "00:00:01", Jitter: "00:00:00", PingP99Degraded: "00:00:30", SlowCommandDegraded: "00:01:00", CallDeadline: "00:00:15", ConnectTimeout: "00:00:15", Deadline: "00:00:40"}}, Storage: {Redis: {Deadline: "00:00:07", ConnectTimeout: "00:00:20"}}}
        {{{{more}}}}
        """;

    [Fact]
    public async Task Deployment_StartsWithAReadOnlyRoot_AnswersItsProbes_AndEndsWithinItsGrace()
    {
        await using var redis = await StartRedisAsync();
        var manifests = await Chart.RenderAsync(Values(redis, FreePort.Next()));
        await using var pod = RunningPod.Start(manifests, "Deployment", "maintenance-worker", Secrets, "worker");

        await pod.SucceedsAsync("startupProbe");
        await pod.SucceedsAsync("livenessProbe");
        await pod.SucceedsAsync("readinessProbe", TimeSpan.FromSeconds(60));
        await Eventually.TrueAsync(
            async () => !(await pod.GetAsync("management", "/metrics")).Contains("maintenance_job_runs_total{outcome=\"success\",task=\"redis-health\"} 0\n", StringComparison.Ordinal)
                && (await pod.GetAsync("management", "/metrics")).Contains("maintenance_redis_up", StringComparison.Ordinal),
            TimeSpan.FromSeconds(60),
            "a job of the settings file's schedule ran");

        // The settings file was read: its schedule, and logs as JSON.
        var jobs = JsonNode.Parse(await pod.GetAsync("management", "/api/jobs"))!;
        jobs.Items("jobs").Single(job => job.Text("name") == "redis-health").Text("schedule").ShouldBe("00:00:01");
        jobs.Text("replica").ShouldStartWith("maintenance-worker-0");
        JsonNode.Parse(pod.Process.Output[0])!.Text("LogLevel").ShouldNotBeNull();

        var (exit, took) = await pod.TerminateAsync();
        exit.ShouldBe(0, pod.Process.Tail());
        output.Write($"worker: SIGTERM to exit {took.TotalSeconds:0.00} s of {pod.Grace.TotalSeconds:0} s");
    }

    [Fact]
    public async Task Probes_SayNotReady_ButAlive_WhileRedisIsAway()
    {
        await using var redis = await StartRedisAsync();
        var manifests = await Chart.RenderAsync(Values(redis, FreePort.Next()));
        await using var pod = RunningPod.Start(manifests, "Deployment", "maintenance-worker", Secrets, "worker");
        await pod.SucceedsAsync("startupProbe");
        await pod.SucceedsAsync("readinessProbe", TimeSpan.FromSeconds(60));

        await redis.KillAsync();
        await pod.BecomesAsync("readinessProbe", HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(60));
        await pod.SucceedsAsync("livenessProbe");
        (await pod.GetAsync("management", "/metrics")).ShouldContain("maintenance_build_info");

        await redis.RestartAsync();
        await pod.SucceedsAsync("readinessProbe", TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Sigterm_DuringARun_EndsWithinTheGrace()
    {
        await using var redis = await StartRedisAsync();
        for (var batch = 0; batch < 20; batch++)
        {
            await redis.ExecuteAsync("EVAL", "for i = 1, 5000 do redis.call('SET', 'session:{Ab}cD3f0123456789:' .. ARGV[1] .. ':' .. i, 'x') end", "0", $"{batch}");
        }

        // So slow that it would take minutes.
        var values = Values(redis, FreePort.Next()).Replace(
            "settings: {Jobs: {", "settings: {Jobs: {KeyspaceStats: {Schedule: \"00:00:01\", Jitter: \"00:00:00\", Budget: {CommandsPerSecond: 2, ScanCount: 10}}, ", StringComparison.Ordinal);
        var manifests = await Chart.RenderAsync(values);
        await using var pod = RunningPod.Start(manifests, "Deployment", "maintenance-worker", Secrets, "worker");
        await pod.SucceedsAsync("startupProbe");
        await Eventually.TrueAsync(
            async () => (await pod.GetAsync("management", "/metrics")).Contains("maintenance_job_running{task=\"keyspace-stats\"} 1", StringComparison.Ordinal),
            TimeSpan.FromSeconds(60));

        var (exit, took) = await pod.TerminateAsync();
        exit.ShouldBe(0, pod.Process.Tail());
        output.Write($"worker: SIGTERM during a run to exit {took.TotalSeconds:0.00} s of {pod.Grace.TotalSeconds:0} s");
    }

    [Fact]
    public async Task Container_CanWriteNowhereButItsVolumes_AndHasNoPrivilege()
    {
        await using var redis = await StartRedisAsync();
        var manifests = await Chart.RenderAsync(Values(redis, FreePort.Next()));
        await using var pod = RunningPod.Start(
            manifests, "Deployment", "maintenance-worker", Secrets, "worker",
            "/bin/sh", "-c",
            "for f in /app /etc / /usr /app/appsettings.Production.json; do if (echo x >>$f/x || echo x >>$f) 2>/dev/null; then echo wrote $f; fi; done; echo x >/tmp/x && echo tmp; id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; hostname");
        (await pod.Process.WaitForExitAsync()).ShouldBe(0, pod.Process.Tail());
        pod.Process.Output.ShouldBe(["tmp", "1654", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "maintenance-worker-0"]);
    }

    [Fact]
    public async Task CronJob_RunsItsJobOnce_AndExits0()
    {
        await using var redis = await StartRedisAsync();
        var manifests = await Chart.RenderAsync([Values(redis, FreePort.Next()), "worker: {cronJobs: {session-cleanup: {enabled: true}}}"]);
        await using var pod = RunningPod.Start(manifests, "CronJob", "maintenance-session-cleanup", Secrets, "worker");
        (await pod.Process.WaitForExitAsync(TimeSpan.FromSeconds(90))).ShouldBe(0, pod.Process.Tail());
        var result = JsonNode.Parse(string.Join('\n', pod.Process.Output))!;
        result.Text("job").ShouldBe("session-cleanup");
        result.Text("outcome").ShouldBe("success");
    }

    [Fact]
    public async Task HelmTest_ChecksRedis_AndFailsWithoutIt()
    {
        var redis = await StartRedisAsync();
        var manifests = await Chart.RenderAsync(Values(redis, FreePort.Next()));
        await using (redis)
        {
            // A busy machine is not degraded for its slow pings.
            await using var check = RunningPod.Start(manifests, "Pod", "maintenance-test-check", Secrets, "worker");
            (await check.Process.WaitForExitAsync(TimeSpan.FromSeconds(90))).ShouldBe(0, check.Process.Tail());
        }

        await using var again = RunningPod.Start(manifests, "Pod", "maintenance-test-check", Secrets, "worker");
        (await again.Process.WaitForExitAsync(TimeSpan.FromSeconds(90))).ShouldBe(2, again.Process.Tail());
    }
}
