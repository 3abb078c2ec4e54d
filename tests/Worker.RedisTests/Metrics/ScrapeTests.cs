using System.Text.RegularExpressions;
using Maintenance.Testing;

namespace Maintenance.Worker.RedisTests.Metrics;

/// <summary>What the worker exports, seen by promtool and by a real Prometheus.</summary>
public sealed partial class ScrapeTests
{
    // Every family that a worker on a primary with maxmemory and a replica must have after each job ran once. Not here: memory_full_timestamp (needs
    // minutes of growth) and authstore_operation_duration_seconds (the worker itself calls no store; the decorator's own tests have it).
    private static readonly string[] Families =
    [
        "maintenance_job_runs_total", "maintenance_job_duration_seconds", "maintenance_job_running", "maintenance_job_interval_seconds",
        "maintenance_job_last_success_timestamp_seconds", "maintenance_job_last_completion_timestamp_seconds",
        "maintenance_job_next_run_timestamp_seconds", "maintenance_job_misfires_total",
        "maintenance_lease_held", "maintenance_lease_transitions_total",
        "maintenance_keys_scanned_total", "maintenance_keys_removed_total", "maintenance_keys_ttl_repaired_total",
        "maintenance_index_drift_members", "maintenance_index_repairs_total",
        "maintenance_redis_up", "maintenance_redis_status", "maintenance_redis_probe_duration_seconds", "maintenance_redis_last_probe_timestamp_seconds",
        "maintenance_redis_memory_used_bytes", "maintenance_redis_memory_max_bytes", "maintenance_redis_memory_fragmentation_ratio", "maintenance_redis_replication_lag_bytes", "maintenance_redis_connected_replicas", "maintenance_redis_evicted_keys_total",
        "maintenance_redis_expired_keys_total", "maintenance_redis_connected_clients", "maintenance_redis_eviction_policy_safe", "maintenance_redis_persistence_ok",
        "maintenance_redis_keyspace_hits_total", "maintenance_redis_keyspace_misses_total", "maintenance_redis_memory_alert",
        "maintenance_keyspace_keys", "maintenance_keyspace_bytes", "maintenance_keyspace_ttl_seconds",
        "maintenance_sessions_active", "maintenance_users_active", "maintenance_alerts_sent_total", "maintenance_build_info",
        "authstore_operation_errors_total", "authstore_lookups_total", "authstore_sessions_created_total", "authstore_sessions_ended_total",
    ];

    [Fact]
    public async Task Metrics_HaveEveryFamily_PassPromtool_AndAreQueriedThroughARealPrometheus()
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryBytes = 200_000_000, ConfigurationLines = ["repl-diskless-sync-delay 0"] });
        await using var replica = await RedisServer.StartAsync(new RedisServerOptions { ExtraArguments = ["--replicaof", "127.0.0.1", $"{redis.Port}"] });
        var port = FreePort.Next();
        await using var worker = StartWorker(redis, port);
        using var http = new HttpClient();
        var metrics = new Uri($"http://127.0.0.1:{port}/metrics");
        var text = "";
        await Eventually.SucceedsAsync(
            async () =>
            {
                text = await GetOrEmptyAsync(http, metrics);
                Families.Where(family => !text.Contains($"# TYPE {family} ", StringComparison.Ordinal)).ShouldBeEmpty();
            },
            TimeSpan.FromSeconds(120));

        var ours = OurFamilies(text);
        var promtool = await Promtool.CheckMetricsAsync(ours);
        promtool.ExitCode.ShouldBe(0, promtool.Output);
        SessionIdOrUserReference().IsMatch(ours).ShouldBeFalse("no user or session id in a label");

        await using var prometheus = await PrometheusServer.StartAsync([$"127.0.0.1:{port}"]);
        (await prometheus.QueryUntilAnyAsync("sum(maintenance_redis_up) > 1"))[0].Value.ShouldBe(2, "the replica too, which nobody configured");
        (await prometheus.QueryUntilAnyAsync("maintenance_redis_memory_max_bytes"))[0].Value.ShouldBe(200_000_000);
        foreach (var query in (string[])
        [
            "sum by (task) (maintenance_job_runs_total{outcome=\"success\"})",
            "time() - maintenance_job_last_success_timestamp_seconds{task=\"session-cleanup\"} < 3600",
            "histogram_quantile(0.9, sum by (le, task) (maintenance_job_duration_seconds_bucket))",
            "maintenance_index_drift_members{kind=\"missing\"} == 0",
            "maintenance_keyspace_ttl_seconds_bucket",
            "authstore_sessions_created_total",
        ])
        {
            (await prometheus.QueryUntilAnyAsync(query)).ShouldNotBeEmpty(query);
        }
    }

    [Fact]
    public void Document_NamesEveryFamily()
    {
        var document = File.ReadAllText(Path.Combine(BuiltProgram.RepositoryRoot, "docs", "metrics.md"));
        Families.Where(family => !document.Contains($"| `{family}` |", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    private static ChildProcess StartWorker(RedisServer redis, int port) => ChildProcess.StartOurs(
        "Worker",
        [],
        new Dictionary<string, string?>
        {
            ["REDIS_URL"] = redis.Url,
            ["Management__Address"] = "127.0.0.1",
            ["Management__Port"] = $"{port}",
            ["Jobs__SessionCleanup__Schedule"] = "00:00:02",
            ["Jobs__IndexReconciliation__Schedule"] = "00:00:02",
            ["Jobs__RedisHealth__Schedule"] = "00:00:02",
            ["Jobs__MemoryAlerts__Schedule"] = "00:00:02",
            ["Jobs__KeyspaceStats__Schedule"] = "00:00:02",
        });

    private static async Task<string> GetOrEmptyAsync(HttpClient http, Uri address)
    {
        try
        {
            return await http.GetStringAsync(address);
        }
        catch (HttpRequestException)
        {
            return "";
        }
    }

    // Promtool has opinions on names of the runtime's and ASP.NET Core's meters, which are theirs.
    private static string OurFamilies(string text) => string.Concat(
        text.Split('\n').Where(line => OurLine().IsMatch(line)).Select(line => line + "\n"));

    [GeneratedRegex(@"^(# (HELP|TYPE) )?(maintenance|authstore|prometheus_exporter)_")]
    private static partial Regex OurLine();

    [GeneratedRegex(@"""[A-Za-z0-9_-]{22}""|\{[A-Za-z0-9_-]{2}\}")]
    private static partial Regex SessionIdOrUserReference();
}
