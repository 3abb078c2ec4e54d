using System.Text.Json;
using System.Text.Json.Nodes;
using Maintenance.Testing;

namespace Maintenance.Deploy.OpsTests.Grafana;

/// <summary>Every query of every panel, asked of a real Prometheus that scrapes a real worker and a real web host on a real Redis with a replica.</summary>
public sealed class DashboardQueriesTests
{
    // What Grafana would put in: every node, job and store; an interval of several scrapes.
    private static readonly (string Variable, string Value)[] Variables =
        [("${node}", ".*"), ("$node", ".*"), ("$task", ".*"), ("$store", ".*"), ("$__rate_interval", "30s")];

    private static string Folder { get; } = Path.Combine(BuiltProgram.RepositoryRoot, "deploy");

    [Fact]
    public async Task EveryQueryOfEveryPanel_ReturnsData()
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions
        {
            MaxMemoryBytes = 400_000_000,
            MaxMemoryPolicy = "noeviction",
            ConfigurationLines = ["repl-diskless-sync-delay 0"],
        });
        await using var replica = await RedisServer.StartAsync(new RedisServerOptions { ExtraArguments = ["--replicaof", "127.0.0.1", $"{redis.Port}"] });
        await using var host = await RunningProgram.WebHostAsync(redis.Url);
        await RememberGrowthAsync(redis);
        await using var worker = await RunningProgram.WorkerAsync(redis.Url);
        await using var prometheus = await PrometheusServer.StartAsync(
            [$"127.0.0.1:{worker.ManagementPort}", $"127.0.0.1:{host.ManagementPort}"], ruleFiles: [Path.Combine(Folder, "prometheus", "rules.yaml")]);
        using var stop = new CancellationTokenSource();
        var traffic = TrafficAsync(host, redis, stop.Token);

        var queries = Queries();
        queries.Count.ShouldBeGreaterThan(60);
        var without = queries;
        // All together and again, so that a figure that comes late holds up no other. A worker that cannot read its past within its patience begins
        // the forecast anew, which takes four minutes of growth.
        await Eventually.TrueAsync(
            async () =>
            {
                if (traffic.IsFaulted)
                {
                    await traffic;
                }

                without = [.. await MissingAsync(prometheus, without)];
                return without.Count == 0;
            },
            TimeSpan.FromMinutes(10)).ContinueWith(_ => Task.CompletedTask, TaskScheduler.Default).Unwrap();

        await stop.CancelAsync();
        await traffic;
        without.Select(each => $"{each.Panel}: {each.Query}").ShouldBeEmpty();
    }

    /// <summary>
    /// A run of the job, told to have seen the last half hour: a forecast needs four minutes of growth, which is long to wait for. What the worker
    /// measures next goes on from there.
    /// </summary>
    private static async Task RememberGrowthAsync(RedisServer redis)
    {
        const string results = "maintenance:results:{memory-alerts}";
        // A past of less than this would make the growth so small that the limit lies beyond what a forecast tells.
        await redis.ExecuteAsync("SETRANGE", "cache:past", "80000000", "x");
        await redis.ExecuteAsync("EXPIRE", "cache:past", "3600");
        var (exit, output) = await RunningProgram.VerbAsync(redis.Url, "run", "memory-alerts", "--json");
        exit.ShouldBe(0, output);
        var result = JsonNode.Parse((await redis.StringAsync("LINDEX", results, "0"))!)!;
        var node = result["snapshot"]!["nodes"]![0]!;
        var samples = node["samples"]!.AsArray();
        var (at, bytes) = (samples[0]!["at"]!.GetValue<DateTimeOffset>(), samples[0]!["bytes"]!.GetValue<long>());
        for (var minute = 1; minute <= 30; minute++)
        {
            samples.Insert(0, new JsonObject { ["at"] = at.AddMinutes(-minute), ["bytes"] = bytes - (minute * 2_000_000) });
        }

        await redis.ExecuteAsync("LSET", results, "0", result.ToJsonString());
    }

    private static List<(string Panel, string Query)> Queries() =>
    [
        .. from file in Directory.EnumerateFiles(Path.Combine(Folder, "grafana"), "*.json")
           let dashboard = JsonDocument.Parse(File.ReadAllText(file)).RootElement
           from panel in dashboard.GetProperty("panels").EnumerateArray()
           where panel.TryGetProperty("targets", out _)
           from target in panel.GetProperty("targets").EnumerateArray()
           let query = Variables.Aggregate(target.GetProperty("expr").GetString()!, (text, variable) => text.Replace(variable.Variable, variable.Value, StringComparison.Ordinal))
           select ($"{Path.GetFileName(file)}, {panel.GetProperty("title").GetString()}", query),
    ];

    private static async Task<IEnumerable<(string Panel, string Query)>> MissingAsync(PrometheusServer prometheus, List<(string Panel, string Query)> queries)
    {
        var missing = new List<(string Panel, string Query)>();
        foreach (var each in queries)
        {
            var samples = await prometheus.QueryAsync(each.Query);
            if (samples.All(sample => double.IsNaN(sample.Value)))
            {
                missing.Add(each);
            }
        }

        return missing;
    }

    /// <summary>People come and go, and memory grows, so that there is a forecast.</summary>
    private static async Task TrafficAsync(RunningProgram host, RedisServer redis, CancellationToken stop)
    {
        for (var round = 0; !stop.IsCancellationRequested; round++)
        {
            await redis.ExecuteAsync("SET", $"cache:growth-{round}", new string('x', 100_000), "EX", "3600");
            // The host limits registrations of one address; a few are enough, and the limit's denials are traffic too.
            if (round is 0 or 20)
            {
                await host.JourneyAsync();
            }
            else
            {
                await host.DeniedVerificationAsync();
            }

            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System, stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
