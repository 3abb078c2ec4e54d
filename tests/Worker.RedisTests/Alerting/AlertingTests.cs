using Maintenance.Testing;

namespace Maintenance.Worker.RedisTests.Alerting;

/// <summary>Real workers, a real Alertmanager, and an incident that an operator makes and mends: an eviction policy that drops auth state.</summary>
public sealed class AlertingTests
{
    private const string AlertName = "redis_unsafe_policy";
    private const string SecretPath = "services/T0/B0/a-secret-of-the-address";

    // Replicas, probes and a receiver on a busy machine.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Alertmanager_HasOneAlertOfTwoReplicas_AlsoAfterItWasAway_AndItsEnd()
    {
        await using var told = await HttpReceiver.StartAsync();
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryBytes = 100_000_000, MaxMemoryPolicy = "allkeys-lru" });
        var port = FreePort.Next();
        // The workers are there first: what they cannot tell they tell when it has come.
        await using var first = await StartAsync(redis, port);
        await using var second = await StartAsync(redis, port);
        await Eventually.TrueAsync(async () => (await CounterAsync(first, "failure")) > 0 && (await CounterAsync(second, "failure")) > 0, Patience);

        await using var alertmanager = await AlertmanagerServer.StartAsync(told.Address, port);
        await Eventually.TrueAsync(async () => (await alertmanager.AlertsAsync()).Any(each => each.Labels["alertname"] == AlertName), Patience);
        await Eventually.TrueAsync(async () => (await CounterAsync(first, "success")) > 0 && (await CounterAsync(second, "success")) > 0, Patience);
        // A busy machine may be slow to answer pings, which is an alert of its own.
        var alert = (await alertmanager.AlertsAsync()).Where(each => each.Labels["alertname"] == AlertName).ShouldHaveSingleItem("two replicas tell of one alert");
        alert.Labels.ShouldBe(
            new Dictionary<string, string>(StringComparer.Ordinal) { ["alertname"] = AlertName, ["node"] = redis.Endpoint, ["severity"] = "warning", ["cluster"] = "blue" },
            ignoreOrder: true);
        alert.Annotations["summary"].ShouldContain("allkeys-lru");
        alert.Annotations["runbook_url"].ShouldBe("https://example.com/maintenance/docs/runbooks/unsafe-policy.md");
        await Eventually.TrueAsync(() => Count(told, "firing") == 1, Patience);

        await alertmanager.RestartAsync();
        (await Eventually.NotNullAsync(async () => (await alertmanager.AlertsAsync()).FirstOrDefault(each => each.Labels["alertname"] == AlertName), Patience)).Labels["node"].ShouldBe(redis.Endpoint);
        // It tells nobody of the end of what it has not told the beginning of, and it has forgotten what it told.
        await Eventually.TrueAsync(() => Count(told, "firing") >= 2, Patience);

        await redis.ExecuteAsync("CONFIG", "SET", "maxmemory-policy", "noeviction");
        await Eventually.TrueAsync(async () => !(await alertmanager.AlertsAsync()).Any(each => each.Labels["alertname"] == AlertName), Patience);
        await Eventually.TrueAsync(() => Count(told, "resolved") >= 1, Patience);
    }

    [Fact]
    public async Task Webhooks_AreToldOnce_RetriedUntilTheyTakeIt_AndNoJobWaits()
    {
        await using var json = await HttpReceiver.StartAsync();
        await using var slack = await HttpReceiver.StartAsync();
        json.Answer = (_, context) =>
        {
            context.Response.StatusCode = json.Requests.Count < 3 ? 503 : 200;
            return Task.CompletedTask;
        };
        slack.Answer = (_, context) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryBytes = 100_000_000, MaxMemoryPolicy = "allkeys-lru" });
        await using var worker = await WorkerProcess.StartAsync(
            redis.Url,
            ("Jobs__RedisHealth__Schedule", "00:00:01"),
            ("Alerting__RetryDelay", "00:00:00.1"),
            ("Alerting__SinkTimeout", "00:00:10"),
            ("Alerting__Webhooks__ops__Url", $"{json.Address}{SecretPath}"),
            ("Alerting__Webhooks__chat__Url", $"{slack.Address}{SecretPath}"),
            ("Alerting__Webhooks__chat__Format", "Slack"));

        await Eventually.TrueAsync(() => json.Requests.Count >= 3 && slack.Requests.Count >= 2, Patience);
        await Eventually.TrueAsync(async () => await CounterAsync(worker, "success", "webhook:ops") == 1, Patience);
        // Runs go on while one sink hangs, and what was told is not told again.
        var runs = await RunsAsync(worker);
        await Eventually.TrueAsync(async () => await RunsAsync(worker) >= runs + 3, Patience);
        json.Requests.Count.ShouldBe(3);
        (await CounterAsync(worker, "failure", "webhook:ops")).ShouldBe(2);
        slack.Requests[0].Body.ShouldContain("\"text\":\"Warning: redis_unsafe_policy");

        await redis.ExecuteAsync("CONFIG", "SET", "maxmemory-policy", "noeviction");
        await Eventually.TrueAsync(() => json.Requests.Any(request => request.Body.Contains("\"status\":\"resolved\"", StringComparison.Ordinal)), Patience);
        string.Join('\n', worker.Process.Output.Concat(worker.Process.Errors)).ShouldNotContain("a-secret-of-the-address");
        (await worker.Http.GetStringAsync("/")).ShouldNotContain("a-secret-of-the-address");
        (await worker.Http.GetStringAsync("/metrics")).ShouldNotContain("a-secret-of-the-address");
    }

    [Fact]
    public async Task WrongSink_StopsTheStart_AndIsNamedWithoutItsAddress()
    {
        await using var worker = ChildProcess.StartOurs("Worker", [], new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["REDIS_URL"] = "redis://127.0.0.1:1",
            ["Management__Port"] = $"{FreePort.Next()}",
            ["Alerting__Webhooks__ops__Url"] = "hooks.example/a-secret-of-the-address",
        });
        (await worker.WaitForExitAsync(TimeSpan.FromSeconds(60))).ShouldBe(2);
        var text = string.Join('\n', worker.Output.Concat(worker.Errors));
        text.ShouldContain("Alerting:Webhooks:ops:Url");
        text.ShouldNotContain("a-secret-of-the-address");
    }

    private static Task<WorkerProcess> StartAsync(RedisServer redis, int alertmanager) => WorkerProcess.StartAsync(
        redis.Url,
        ("Jobs__RedisHealth__Schedule", "00:00:01"),
        ("Results__RefreshInterval", "00:00:00.5"),
        ("Alerting__RetryDelay", "00:00:00.2"),
        ("Alerting__Alertmanager__Urls__0", $"http://127.0.0.1:{alertmanager}"),
        ("Alerting__Alertmanager__Labels__cluster", "blue"),
        // Alertmanager takes an alert for ended that nobody has sent for four of these.
        ("Alerting__Alertmanager__ResendInterval", "00:00:05"));

    // Other alerts may come too: a busy machine's Redis may be slow to answer.
    private static int Count(HttpReceiver receiver, string status) => receiver.Requests.Count(request =>
        request.Body.Contains($"\"status\":\"{status}\"", StringComparison.Ordinal) && request.Body.Contains(AlertName, StringComparison.Ordinal));

    private static async Task<double> CounterAsync(WorkerProcess worker, string outcome, string sink = "alertmanager") =>
        Value(await worker.Http.GetStringAsync("/metrics"), $"maintenance_alerts_sent_total{{outcome=\"{outcome}\",sink=\"{sink}\"}} ");

    private static async Task<double> RunsAsync(WorkerProcess worker) =>
        Value(await worker.Http.GetStringAsync("/metrics"), "maintenance_job_runs_total{outcome=\"success\",task=\"redis-health\"} ");

    private static double Value(string metrics, string series) =>
        metrics.Split('\n').FirstOrDefault(line => line.StartsWith(series, StringComparison.Ordinal)) is { } line
            ? double.Parse(line[series.Length..], System.Globalization.CultureInfo.InvariantCulture)
            : 0;
}
