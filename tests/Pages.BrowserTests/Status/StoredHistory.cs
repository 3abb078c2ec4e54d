using System.Globalization;
using Maintenance.Testing;
using Maintenance.Worker;
using Maintenance.Worker.Demo;
using Maintenance.Worker.MemoryAlerts;
using Maintenance.Worker.Results;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Maintenance.Pages.BrowserTests.Status;

/// <summary>A store that a busy service has filled and broken, and results of the last days, as another replica of the worker left them.</summary>
internal static class StoredHistory
{
    public const string OtherReplica = "worker-6d5f-2";

    /// <summary>Users in the store; sessions, four times as many.</summary>
    private const int Users = 1500;

    /// <summary>Fills the store.</summary>
    /// <returns>What was broken, by kind.</returns>
    public static async Task<IReadOnlyDictionary<DemoDamage, long>> PlantAsync(RedisServer server)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("Storage:Redis:Url", server.Url), new("Storage:Redis:Deadline", "00:00:20")]);
        builder.Services.AddMaintenanceWorker(builder.Configuration);
        using var host = builder.Build();
        var planter = ActivatorUtilities.CreateInstance<DemoPlanter>(host.Services, ActivatorUtilities.CreateInstance<TokenPlanter>(host.Services), 7);
        var plan = await planter.PlantAsync(Users, null, CancellationToken.None);
        var results = host.Services.GetRequiredService<ResultStore>();
        foreach (var result in await ResultsAsync(server, TimeProvider.System.GetUtcNow()))
        {
            await results.RecordAsync(result, CancellationToken.None);
        }

        return plan.Planted.ToDictionary(planted => planted.Key, planted => (long)planted.Value);
    }

    private static async Task<IEnumerable<JobResult>> ResultsAsync(RedisServer server, DateTimeOffset now)
    {
        var random = new Random(11);
        var found = new List<JobResult>();
        for (var pass = 12; pass >= 1; pass--)
        {
            found.Add(Result(JobNames.IndexReconciliation, now.AddHours(-6 * pass), 2.2 + random.NextDouble(), new()
            {
                ["drift_dangling"] = random.Next(20, 90) + (pass == 7 ? 160 : 0),
                ["drift_missing"] = pass == 7 ? 420 : random.Next(0, 60),
                ["drift_revoked"] = random.Next(0, 30),
                ["drift_wrong_expiry"] = random.Next(5, 30),
                ["sessions_seen"] = 5900 + random.Next(200),
                ["users_seen"] = 1500,
            }));
        }

        for (var hour = 30; hour >= 1; hour--)
        {
            var result = Result(JobNames.SessionCleanup, now.AddHours(-hour), 0.4 + random.NextDouble(), new()
            {
                ["expired_members_removed"] = random.Next(10, 80), ["ttl_repaired"] = random.Next(0, 12), ["ttl_missing"] = 3, ["keys_scanned"] = 9100 + random.Next(300),
            });
            found.Add(hour switch
            {
                9 => result with { Outcome = JobOutcome.Failed, Errors = ["No answer within 2 s"], ErrorCount = 1, DurationSeconds = 2.9 },
                10 => result with { Outcome = JobOutcome.Canceled, Reason = "lease lost" },
                14 => result with { DryRun = true },
                _ => result,
            });
        }

        for (var i = 40; i >= 1; i--)
        {
            found.Add(Result(JobNames.RedisHealth, now.AddMinutes(-5 * i), 0.02 + (random.NextDouble() * 0.02), new() { ["nodes_healthy"] = 1 }));
            found.Add(Result(JobNames.KeyspaceStats, now.AddMinutes(-15 * i), 0.3 + (random.NextDouble() * 0.1), new() { ["keys_scanned"] = 9000 + i, ["sessions_active"] = 6000 - i, ["users_active"] = 1500 }));
            var memory = Result(JobNames.MemoryAlerts, now.AddMinutes(-i), 0.01 + (random.NextDouble() * 0.01), new() { ["nodes_warning"] = 0, ["nodes_critical"] = 0 });
            found.Add(i == 1 ? memory with { Snapshot = await MemoryAsync(server, now, random) } : memory);
        }

        return found;
    }

    /// <summary>Samples that grew to where the server is now, of the same life of the server, so that the worker's own next samples go on from them.</summary>
    private static async Task<System.Text.Json.JsonElement> MemoryAsync(RedisServer server, DateTimeOffset now, Random random)
    {
        var info = ((string?)await server.ExecuteAsync("INFO", "everything"))!.Split("\r\n").Where(line => line.Contains(':', StringComparison.Ordinal))
            .Select(line => line.Split(':', 2)).ToLookup(parts => parts[0], parts => parts[1]);
        var used = long.Parse(info["used_memory"].First(), CultureInfo.InvariantCulture);
        var report = new JobReport();
        report.SetSnapshot(new MemoryAlertsSnapshot
        {
            Nodes =
            [
                new NodeMemory
                {
                    Node = $"127.0.0.1:{server.Port}",
                    RunId = info["run_id"].First(),
                    UsedBytes = used,
                    Samples = [.. Enumerable.Range(1, 55).Select(i => new MemorySample(now.AddMinutes(-56 + i), (long)(used * (0.82 + (0.18 * i / 56)) + random.Next(-60_000, 60_000))))],
                },
            ],
        });
        return report.Close().Snapshot!.Value;
    }

    private static JobResult Result(string job, DateTimeOffset started, double seconds, SortedDictionary<string, long> counts) => new()
    {
        Job = job,
        RunId = Guid.NewGuid().ToString("N")[..12],
        Replica = OtherReplica,
        Due = started,
        Started = started,
        DurationSeconds = seconds,
        Outcome = JobOutcome.Success,
        Counts = counts,
    };
}
