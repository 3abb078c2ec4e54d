namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>Deployments, migrations, CronJobs and the trial Redis, as the values say.</summary>
public sealed class EveryWorkloadTests
{
    [Fact]
    public async Task Deployments_Budgets_Accounts_AndMigrations_AreThoseOfTheValues()
    {
        var manifests = await Everything.RenderAsync();
        manifests["Deployment", Everything.WebHost].Text("spec.replicas").ShouldBe("5");
        manifests["Deployment", Everything.WebHost].Text("spec.template.spec.topologySpreadConstraints.1.whenUnsatisfiable").ShouldBe("DoNotSchedule");
        manifests["Deployment", Everything.WebHost].Text("spec.template.spec.containers.0.lifecycle.preStop.sleep.seconds").ShouldBe("7");
        manifests["PodDisruptionBudget", Everything.Worker].Text("spec.maxUnavailable").ShouldBe("25%");
        manifests["PodDisruptionBudget", Everything.WebHost].Text("spec.maxUnavailable").ShouldBe("2");
        foreach (var program in new[] { "worker", "web-host" })
        {
            manifests["ServiceAccount", $"auth-{program}-account"].Strings("metadata.annotations")["example.org/account"].ShouldBe(program);
        }

        foreach (var migration in new[] { "auth-state-migrate", "auth-state-migrate-archive" })
        {
            manifests["Job", migration].Text("spec.activeDeadlineSeconds").ShouldBe("601");
            manifests["Job", migration].Text("spec.backoffLimit").ShouldBe("4");
        }
    }

    [Theory]
    [InlineData("session-cleanup", "9 */2 * * *", """["run","session-cleanup","--full-speed","--json"]""", 7500)]
    [InlineData("index-reconciliation", "24 */12 * * *", """["run","index-reconciliation","--dry-run","--json"]""", 44000)]
    [InlineData("redis-health", "*/6 * * * *", """["run","redis-health"]""", 420)]
    [InlineData("memory-alerts", "*/2 * * * *", """["run","memory-alerts"]""", 150)]
    [InlineData("keyspace-stats", "*/20 * * * *", """["run","keyspace-stats"]""", 1500)]
    public async Task EachCronJob_IsWhatItsValuesSay(string job, string schedule, string arguments, int expectedSeconds)
    {
        var manifests = await Everything.RenderAsync();
        var cron = manifests["CronJob", $"auth-state-{job}"];
        cron.Text("spec.schedule").ShouldBe(schedule);
        cron.Text("spec.startingDeadlineSeconds").ShouldBe("121");
        cron.Text("spec.successfulJobsHistoryLimit").ShouldBe("4");
        cron.Text("spec.failedJobsHistoryLimit").ShouldBe("5");
        cron.Text("spec.jobTemplate.spec.activeDeadlineSeconds").ShouldBe("1801");
        cron.Text("spec.jobTemplate.spec.backoffLimit").ShouldBe("2");
        cron.At("spec.jobTemplate.spec.template.spec.containers.0.args")!.ToJsonString().ShouldBe(arguments);
        manifests["PrometheusRule", "auth-state"].Items("spec.groups.0.rules").Single(rule => rule.Strings("labels")["task"] == job)
            .Text("expr")!.ShouldEndWith($"+ {expectedSeconds}");
    }

    [Fact]
    public async Task AuditPrune_IsWhatItsValuesSay_AndReachesOnlyNamesAndTheDatabase()
    {
        var manifests = await Everything.RenderAsync();
        var cron = manifests["CronJob", "auth-state-audit-prune"];
        cron.Text("spec.schedule").ShouldBe("17 2 * * 0");
        cron.Text("spec.jobTemplate.spec.activeDeadlineSeconds").ShouldBe("1200");
        cron.Text("spec.jobTemplate.spec.backoffLimit").ShouldBe("1");
        var pod = cron.At("spec.jobTemplate.spec.template")!;
        pod.At("spec.containers.0.args")!.ToJsonString().ShouldBe("""["audit","prune","--older-than","730.00:00:00"]""");
        pod.Items("spec.volumes").ShouldAllBe(volume => volume["configMap"] == null);

        var policy = manifests["NetworkPolicy", "auth-state-audit-prune"];
        policy.Strings("spec.podSelector.matchLabels").ShouldBeSubsetOf(pod.Strings("metadata.labels"));
        policy.At("spec.ingress")!.AsArray().ShouldBeEmpty();
        policy.Items("spec.egress").SelectMany(rule => rule.Items("ports")).Select(port => port.Text("port")).ShouldBe(["53", "53", "5353", "5353", "5433", "4317"]);
        (await Everything.RenderAsync("webHost: {auditPrune: {enabled: false}}")).All.ShouldAllBe(item => item.Text("metadata.name") != "auth-state-audit-prune");
    }

    [Theory]
    [InlineData("networkPolicy: {enabled: false}", "NetworkPolicy", null)]
    [InlineData("webHost: {migration: {enabled: false}}", "Job", null)]
    [InlineData("webHost: {podDisruptionBudget: {enabled: false}}", "PodDisruptionBudget", Everything.Worker)]
    [InlineData("worker: {podDisruptionBudget: {enabled: false}}", "PodDisruptionBudget", Everything.WebHost)]
    public async Task WhatIsSwitchedOff_IsNotThere(string values, string kind, string? left)
    {
        (await Everything.RenderAsync()).Of(kind).Count().ShouldBeGreaterThan(1);
        (await Everything.RenderAsync(values)).Of(kind).Select(item => item.Text("metadata.name")!).ShouldBe(left is null ? [] : [left]);
        var spread = await Everything.RenderAsync("{worker: {topologySpread: {enabled: false}}, webHost: {topologySpread: {enabled: false}}}");
        spread.Of("Deployment").ShouldAllBe(deployment => deployment.At("spec.template.spec.topologySpreadConstraints") == null);
    }

    [Fact]
    public async Task TrialRedis_IsWhatItsValuesSay()
    {
        var manifests = await Chart.RenderAsync([ChartFolder.In("ci", "cron-values.yaml"), """
            trialRedis:
              image: {repository: registry.example.org/redis, tag: "7.4", pullPolicy: Always}
              maxMemory: 64mb
              resources: {requests: {cpu: 11m, memory: 77Mi}, limits: {memory: 99Mi}}
            """]);
        var container = manifests["Deployment", "maintenance-trial-redis"].At("spec.template.spec.containers.0")!;
        container.Text("image").ShouldBe("registry.example.org/redis:7.4");
        container.Text("imagePullPolicy").ShouldBe("Always");
        container.Text("resources.limits.memory").ShouldBe("99Mi");
        string.Concat(container.Items("command").Concat(container.Items("args")).Select(word => word.ToString())).ShouldContain("64mb");
    }

    [Fact]
    public async Task Digests_WinOverTags()
    {
        const string digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        var manifests = await Chart.RenderAsync([ChartFolder.In("ci", "cron-values.yaml"), $$$"""
            trialRedis: {image: {tag: "7.4", digest: "{{{digest}}}" } }
            tests: {image: {tag: "1.36", digest: "{{{digest}}}" } }
            """]);
        manifests["Deployment", "maintenance-trial-redis"].Text("spec.template.spec.containers.0.image").ShouldBe($"docker.io/library/redis@{digest}");
        manifests["Pod", "maintenance-test-http"].Text("spec.containers.0.image").ShouldBe($"docker.io/library/busybox@{digest}");
    }
}
