using System.Text.Json.Nodes;

namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>What Prometheus and Grafana are given.</summary>
public sealed class MonitoringRenderingTests
{
    private static Task<Manifests> MonitoringAsync(params string[] above) => Chart.RenderAsync([ChartFolder.In("ci", "monitoring-values.yaml"), .. above]);

    [Fact]
    public async Task ServiceMonitors_FindTheManagementServices()
    {
        var manifests = await MonitoringAsync();
        manifests.Of("ServiceMonitor").Count().ShouldBe(2);
        manifests.Of("PodMonitor").ShouldBeEmpty();
        foreach (var monitor in manifests.Of("ServiceMonitor"))
        {
            monitor.Strings("metadata.labels")["release"].ShouldBe("prometheus");
            var selector = monitor.Strings("spec.selector.matchLabels");
            var service = manifests.Of("Service").Where(item =>
            {
                var labels = item.Strings("metadata.labels");
                return selector.All(label => labels.GetValueOrDefault(label.Key) == label.Value);
            }).ShouldHaveSingleItem();
            service.Items("spec.ports").Select(port => port.Text("name")).ShouldContain(monitor.Text("spec.endpoints.0.port"));
            monitor.Text("spec.endpoints.0.path").ShouldBe("/metrics");
        }
    }

    [Fact]
    public async Task PodMonitors_FindThePods()
    {
        var manifests = await Chart.RenderAsync(ChartFolder.In("ci", "cluster-values.yaml"));
        var monitor = manifests.Of("PodMonitor").ShouldHaveSingleItem();
        manifests.Of("ServiceMonitor").ShouldBeEmpty();
        var pod = manifests["Deployment", "maintenance-worker"].At("spec.template")!;
        monitor.Strings("spec.selector.matchLabels").ShouldBeSubsetOf(pod.Strings("metadata.labels"));
        pod.Items("spec.containers.0.ports").Select(port => port.Text("name")).ShouldContain(monitor.Text("spec.podMetricsEndpoints.0.port"));
    }

    [Fact]
    public async Task PrometheusRule_HoldsTheRulesOfTheOneFile_WithTheLabelsOfTheValues()
    {
        var rule = (await MonitoringAsync())["PrometheusRule", "maintenance"];
        var file = YamlJson.Parse(ChartFolder.Read("files", "rules.yaml"));
        foreach (var alert in file.Items("groups").SelectMany(group => group.Items("rules")).Where(item => item["alert"] is not null))
        {
            (alert["labels"] ??= new JsonObject())["team"] = "identity";
        }

        file.Items("groups").SelectMany(group => group.Items("rules")).Count(item => item["alert"] is not null).ShouldBeGreaterThan(15);
        JsonNode.DeepEquals(Sorted(rule.At("spec.groups")), Sorted(file["groups"])).ShouldBeTrue();
    }

    [Fact]
    public async Task CronJob_ThatNoLongerSucceeds_IsAnAlertToo()
    {
        var manifests = await Chart.RenderAsync([ChartFolder.In("ci", "cron-values.yaml"), "monitoring: {prometheusRule: {enabled: true}}"]);
        using var folder = new TemporaryFolder();
        folder.Write("rules.json", manifests["PrometheusRule", "maintenance"].At("spec")!.ToJsonString());
        // The time of a test begins at 0: the cleanup succeeds until 01:00, the reconciliation, which comes once a day, never does.
        var test = folder.Write("test.json", """
            {
              "rule_files": ["rules.json"], "evaluation_interval": "5m",
              "tests": [{
                "interval": "1m",
                "input_series": [
                  { "series": "maintenance_build_info{job=\"maintenance\",instance=\"a\",version=\"1\"}", "values": "1x1620" },
                  { "series": "maintenance_job_last_success_timestamp_seconds{job=\"maintenance\",instance=\"a\",task=\"session-cleanup\"}", "values": "0+60x60 3600x1560" }
                ],
                "promql_expr_test": [
                  { "expr": "count by (task) (ALERTS{alertname=\"MaintenanceJobStale\",alertstate=\"firing\"})", "eval_time": "3h", "exp_samples": [] },
                  { "expr": "count by (task) (ALERTS{alertname=\"MaintenanceJobStale\",alertstate=\"firing\"})", "eval_time": "3h20m", "exp_samples": [{ "labels": "{task=\"session-cleanup\"}", "value": 1 }] },
                  { "expr": "count by (task) (ALERTS{alertname=\"MaintenanceJobNeverSucceeded\",alertstate=\"firing\"})", "eval_time": "25h", "exp_samples": [] },
                  { "expr": "count by (task) (ALERTS{alertname=\"MaintenanceJobNeverSucceeded\",alertstate=\"firing\"})", "eval_time": "26h30m", "exp_samples": [{ "labels": "{task=\"index-reconciliation\"}", "value": 1 }] },
                  { "expr": "maintenance:job_interval:seconds", "eval_time": "10m", "exp_samples": [
                    { "labels": "maintenance:job_interval:seconds{job=\"maintenance\",task=\"index-reconciliation\"}", "value": 87300 },
                    { "labels": "maintenance:job_interval:seconds{job=\"maintenance\",task=\"session-cleanup\"}", "value": 3900 }] }
                ]
              }]
            }
            """);

        var checkedRules = await Promtool.RunAsync(["test", "rules", test]);
        checkedRules.ExitCode.ShouldBe(0, checkedRules.Output);
    }

    [Fact]
    public async Task PrometheusRule_LeavesOutAlertsByName()
    {
        var all = Alerts((await MonitoringAsync())["PrometheusRule", "maintenance"]);
        var some = Alerts((await MonitoringAsync($"monitoring: {{prometheusRule: {{disabled: [{all[0]}]}}}}"))["PrometheusRule", "maintenance"]);
        some.ShouldBe(all[1..]);

        static string[] Alerts(JsonNode rule) =>
            [.. rule.Items("spec.groups").SelectMany(group => group.Items("rules")).Select(item => item.Text("alert")).OfType<string>()];
    }

    [Fact]
    public async Task Dashboards_AreThoseOfTheOneFolder_UnchangedByTemplates()
    {
        var manifests = await MonitoringAsync();
        var files = Directory.GetFiles(ChartFolder.In("dashboards"), "*.json");
        files.ShouldNotBeEmpty();
        foreach (var file in files)
        {
            var map = manifests["ConfigMap", $"maintenance-dashboard-{Path.GetFileNameWithoutExtension(file)}"];
            map.Strings("metadata.labels")["grafana_dashboard"].ShouldBe("1");
            map.Strings("metadata.annotations")["grafana_folder"].ShouldBe("Auth");
            var content = map.At("data")![Path.GetFileName(file)]!.ToString();
            JsonNode.DeepEquals(JsonNode.Parse(content), JsonNode.Parse(await File.ReadAllTextAsync(file))).ShouldBeTrue(file);
        }
    }

    [Fact]
    public async Task Dashboards_ThatWereLeftOutOfThePackage_AreMissed()
    {
        using var packed = new TemporaryFolder();
        foreach (var file in Directory.GetFiles(ChartFolder.Root, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(ChartFolder.Root, file)))
        {
            // As a tool packs it that follows no link.
            if (!file.StartsWith("dashboards", StringComparison.Ordinal))
            {
                packed.Write(file, await File.ReadAllTextAsync(ChartFolder.In(file)));
            }
        }

        var values = packed.Write("ci-values.yaml", Chart.LeastValues + "monitoring: {dashboards: {enabled: true}}\n");
        string[] arguments = ["-release", "maintenance", "-namespace", "default", "-kube-version", "v1.31.0", "-f", values, "-show", "manifests"];
        (await HelmRender.RunAsync(arguments)).ShouldContain("maintenance-dashboard-overview");
        (await Should.ThrowAsync<ChartException>(() => HelmRender.RunAsync(arguments, packed.Path))).Message.ShouldContain("dashboards/ is missing or empty");
    }

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(item => item.Key, StringComparer.Ordinal).Select(item => KeyValuePair.Create(item.Key, Sorted(item.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        null => null,
        _ => node.DeepClone(),
    };
}
