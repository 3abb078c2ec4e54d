namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>Monitors, alerts and where they lead, as the values say.</summary>
public sealed class EveryAlertTests
{
    [Fact]
    public async Task Monitoring_IsWhatTheValuesSay()
    {
        var manifests = await Everything.RenderAsync();
        manifests.Of("ServiceMonitor").Count().ShouldBe(2);
        foreach (var monitor in manifests.Of("ServiceMonitor"))
        {
            monitor.Text("spec.endpoints.0.interval").ShouldBe("45s");
            monitor.Text("spec.endpoints.0.scrapeTimeout").ShouldBe("12s");
        }

        manifests["ConfigMap", "auth-state-dashboard-overview"].Strings("metadata.labels")["example.org/dashboard"].ShouldBe("yes");
        var alerts = manifests["PrometheusRule", "auth-state"].Items("spec.groups").SelectMany(group => group.Items("rules")).Where(rule => rule["alert"] is not null).ToList();
        alerts.Select(alert => alert.Text("alert")).ShouldNotContain("MaintenanceLeaseFlapping");
        alerts.Count.ShouldBeGreaterThan(15);
        alerts.ShouldAllBe(alert => alert.Text("annotations.runbook_url")!.StartsWith("https://git.example.org/auth/docs/runbooks/", StringComparison.Ordinal));
        alerts.Select(alert => alert.Text("annotations.runbook_url")).ShouldContain("https://git.example.org/auth/docs/runbooks/job-stale.md");
    }

    [Fact]
    public async Task WorkersOwnAlerts_LinkWhereTheRulesLink_UnlessItsSettingsSayOtherwise()
    {
        const string rules = "monitoring: {prometheusRule: {runbooksUrl: 'https://git.example.org/runbooks'}}";
        const string own = "worker: {settings: {Alerting: {PageUrl: 'https://status.example.org', RunbooksUrl: 'https://wiki.example.org/runbooks'}}}";
        (await UrlAsync(rules)).ShouldBe("https://git.example.org/runbooks");
        (await UrlAsync(rules, own)).ShouldBe("https://wiki.example.org/runbooks");
        (await UrlAsync(rules, own.Replace(", RunbooksUrl: 'https://wiki.example.org/runbooks'", "", StringComparison.Ordinal))).ShouldBe("https://git.example.org/runbooks");
        (await UrlAsync()).ShouldBeNull();

        static async Task<string?> UrlAsync(params string[] above) =>
            (await Chart.RenderAsync([Chart.LeastValues, .. above])).Settings("maintenance-worker").Text("Alerting.RunbooksUrl");
    }

    [Fact]
    public async Task Notes_SayThatAlertsNeedRunbooks_UntilTheValuesSayWhereTheyLie()
    {
        const string advice = "monitoring.prometheusRule.runbooksUrl";
        (await Chart.NotesAsync(ChartFolder.In("ci", "monitoring-values.yaml"))).ShouldContain(advice);
        (await Chart.NotesAsync(ChartFolder.In("ci", "everything-values.yaml"))).ShouldNotContain(advice);
        (await Chart.NotesAsync(ChartFolder.In("ci", "default-values.yaml"))).ShouldNotContain(advice);
    }
}
