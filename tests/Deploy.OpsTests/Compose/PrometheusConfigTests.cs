using System.Text.Json;
using Maintenance.Testing;

namespace Maintenance.Deploy.OpsTests.Compose;

/// <summary>The Prometheus of the compose file, started with the file that it gets there.</summary>
public sealed class PrometheusConfigTests
{
    [Fact]
    public async Task Prometheus_LoadsTheRules_KnowsItsTargetsAndTheAlertmanager_AndLinksToTheRunbooks()
    {
        var folder = Directory.CreateTempSubdirectory("maintenance-compose-prometheus-").FullName;
        var deploy = Path.Combine(BuiltProgram.RepositoryRoot, "deploy");
        var configuration = await File.ReadAllTextAsync(Path.Combine(deploy, "compose", "prometheus", "prometheus.yml"));
        // Mounted there; here it lies in the repository.
        var rules = Path.Combine(deploy, "prometheus", "rules.yaml");
        await File.WriteAllTextAsync(Path.Combine(folder, "prometheus.yml"), configuration.Replace("/etc/prometheus/rules.yaml", rules, StringComparison.Ordinal));
        var port = FreePort.Next();
        await using (var prometheus = ChildProcess.Start(
            "prometheus",
            [
                $"--config.file={Path.Combine(folder, "prometheus.yml")}", $"--storage.tsdb.path={Path.Combine(folder, "data")}", $"--web.listen-address=127.0.0.1:{port}",
                // Version 3, which the compose file names, does this by itself.
                "--enable-feature=expand-external-labels",
            ],
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["RUNBOOKS_URL"] = "https://runbooks.example.org" }))
        {
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
            await Eventually.TrueAsync(async () => prometheus.HasExited || (await http.GetAsync("-/ready")).IsSuccessStatusCode, TimeSpan.FromMinutes(1));
            prometheus.HasExited.ShouldBeFalse(prometheus.Tail());

            var loaded = (await AskAsync(http, "api/v1/rules")).GetProperty("groups").EnumerateArray().SelectMany(group => group.GetProperty("rules").EnumerateArray()).ToList();
            loaded.Count(rule => rule.GetProperty("type").GetString() == "alerting").ShouldBe(File.ReadLines(rules).Count(line => line.Contains("- alert: ", StringComparison.Ordinal)));
            loaded.Where(rule => rule.GetProperty("health").GetString() == "err").ShouldBeEmpty();

            // One after the other, and later than it is ready.
            await Eventually.SucceedsAsync(
                async () =>
                {
                    var targets = (await AskAsync(http, "api/v1/targets")).GetProperty("activeTargets").EnumerateArray();
                    targets.Select(target => target.GetProperty("labels").GetProperty("job").GetString()).ShouldBe(["maintenance-worker", "maintenance-webhost", "prometheus"], ignoreOrder: true);
                },
                TimeSpan.FromMinutes(1));
            await Eventually.TrueAsync(
                async () => (await AskAsync(http, "api/v1/alertmanagers")).GetProperty("activeAlertmanagers").GetArrayLength() == 1, TimeSpan.FromMinutes(1));
            (await AskAsync(http, "api/v1/status/config")).GetProperty("yaml").GetString()!.ShouldContain("runbooks: https://runbooks.example.org", Case.Sensitive, "where the alerts' links lead");
        }

        Directory.Delete(folder, recursive: true);
    }

    private static async Task<JsonElement> AskAsync(HttpClient http, string path)
    {
        using var answer = JsonDocument.Parse(await http.GetStringAsync(path));
        return answer.RootElement.GetProperty("data").Clone();
    }
}
