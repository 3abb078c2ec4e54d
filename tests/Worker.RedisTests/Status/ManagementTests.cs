using System.Text.Json;
using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Status;

/// <summary>The management port of one real worker.</summary>
public sealed class ManagementTests(ManagementTests.Running running) : IClassFixture<ManagementTests.Running>
{
    private readonly WorkerProcess worker = running.Worker;

    [Fact]
    public async Task Probes_AreOk_WhileRedisIs()
    {
        (await worker.StatusAsync("/healthz/startup")).ShouldBe(200);
        (await worker.StatusAsync("/healthz/live")).ShouldBe(200);
        // It asks Redis, which a busy machine may keep waiting for a moment.
        await Eventually.TrueAsync(async () => await worker.StatusAsync("/healthz/ready") == 200);
    }

    [Fact]
    public async Task Jobs_ShowScheduleAndResults()
    {
        var job = await Eventually.NotNullAsync(async () =>
        {
            var view = await worker.JsonAsync($"/api/jobs/{JobNames.RedisHealth}");
            return view.GetProperty("results").GetArrayLength() > 0 ? (object)view : null;
        });
        var found = (JsonElement)job;
        found.GetProperty("schedule").GetString().ShouldBe("00:00:02");
        found.GetProperty("interval_seconds").GetDouble().ShouldBe(2);
        found.GetProperty("next_run").GetDateTimeOffset().ShouldBeGreaterThan(DateTimeOffset.UnixEpoch);
        found.GetProperty("results")[0].GetProperty("outcome").GetString().ShouldBe("success");
        (await worker.JsonAsync("/api/jobs")).GetProperty("jobs").EnumerateArray()
            .Select(item => item.GetProperty("name").GetString()).ShouldContain(JobNames.RedisHealth);
        (await worker.StatusAsync("/api/jobs/no-such-job")).ShouldBe(404);
    }

    [Fact]
    public async Task Health_NamesEveryCheck()
    {
        await Eventually.TrueAsync(async () =>
        {
            var health = await worker.JsonAsync("/health");
            var checks = health.GetProperty("checks");
            return checks.GetProperty("redis").GetProperty("status").GetString() == "healthy"
                && checks.GetProperty("job:redis-health").GetProperty("description").GetString()!.StartsWith("Redis was", StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Run_IsAcceptedWithTheToken_AndItsResultAppears()
    {
        var (status, body) = await Eventually.NotNullAsync(async () =>
        {
            // A scheduled run may be under way at this very moment.
            var answer = await worker.SendAsync(HttpMethod.Post, $"/api/jobs/{JobNames.RedisHealth}/run?dryRun=true");
            return answer.Status == 409 ? null : Tuple.Create(answer.Status, answer.Body);
        });
        status.ShouldBe(202, body.ToString());
        var runId = body.GetProperty("run_id").GetString();
        await Eventually.TrueAsync(async () => (await worker.JsonAsync($"/api/jobs/{JobNames.RedisHealth}")).GetProperty("results")
            .EnumerateArray().Any(result => result.GetProperty("run_id").GetString() == runId && result.GetProperty("dry_run").GetBoolean()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("wrong")]
    [InlineData(WorkerProcess.Token + "x")]
    public async Task Run_IsRefused_WithoutTheRightToken(string? token)
    {
        (await worker.SendAsync(HttpMethod.Post, $"/api/jobs/{JobNames.RedisHealth}/run", token)).Status.ShouldBe(401);
        (await worker.SendAsync(HttpMethod.Post, "/api/pause", token)).Status.ShouldBe(401);
    }

    [Fact]
    public async Task Run_IsNotFound_ForAnUnknownJob() =>
        (await worker.SendAsync(HttpMethod.Post, "/api/jobs/no-such-job/run")).Status.ShouldBe(404);

    [Theory]
    [InlineData("-00:01:00")]
    [InlineData("1")]
    [InlineData("soon")]
    [InlineData("8.00:00:00")]
    public async Task Pause_RefusesALengthThatIsNone(string length) =>
        (await worker.SendAsync(HttpMethod.Post, $"/api/pause?for={length}")).Status.ShouldBe(400);

    [Fact]
    public async Task Metrics_PassPromtool_AndHoldEverySeriesOfTheJobs()
    {
        await Eventually.TrueAsync(async () => (await worker.Http.GetStringAsync("/metrics"))
            .Contains("maintenance_job_last_success_timestamp_seconds{task=\"redis-health\"}", StringComparison.Ordinal));
        var text = await worker.Http.GetStringAsync("/metrics");
        foreach (var series in new[]
        {
            "maintenance_job_runs_total{outcome=\"success\",task=\"redis-health\"} ",
            "maintenance_job_runs_total{outcome=\"failed\",task=\"redis-health\"} 0",
            "maintenance_job_runs_total{outcome=\"canceled\",task=\"redis-health\"} 0",
            "maintenance_job_runs_total{outcome=\"skipped\",task=\"redis-health\"} ",
            "maintenance_job_duration_seconds_count{task=\"redis-health\"} ",
            "maintenance_job_running{task=\"redis-health\"} ",
            "maintenance_job_interval_seconds{task=\"redis-health\"} 2",
            "maintenance_job_last_completion_timestamp_seconds{task=\"redis-health\"} ",
            "maintenance_job_next_run_timestamp_seconds{task=\"redis-health\"} ",
            "maintenance_job_misfires_total{task=\"redis-health\"} ",
            "maintenance_lease_held{task=\"redis-health\"} ",
            "maintenance_lease_transitions_total{task=\"redis-health\"} ",
            "maintenance_build_info{commit=",
        })
        {
            text.ShouldContain("\n" + series);
        }

        // Families of the runtime and the frameworks have names of their own makers.
        var ours = string.Join('\n', text.Split('\n').Where(line =>
            line.Replace("# HELP ", "", StringComparison.Ordinal).Replace("# TYPE ", "", StringComparison.Ordinal) is var name
            && (name.StartsWith("maintenance_", StringComparison.Ordinal) || name.StartsWith("authstore_", StringComparison.Ordinal)))) + "\n";
        var verdict = await Promtool.CheckMetricsAsync(ours);
        verdict.ExitCode.ShouldBe(0, verdict.Output);
    }

    public sealed class Running : IAsyncLifetime
    {
        private RedisServer? server;

        internal WorkerProcess Worker { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            server = await RedisServer.StartAsync();
            Worker = await WorkerProcess.StartAsync(server.Url, ("Jobs__RedisHealth__Schedule", "00:00:02"));
        }

        public async Task DisposeAsync()
        {
            await Worker.DisposeAsync();
            await server!.DisposeAsync();
        }
    }
}
