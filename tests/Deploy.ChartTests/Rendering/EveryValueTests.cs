using System.Text.Json.Nodes;

namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>No value of values.yaml is one that nobody has ever set: <c>ci/everything-values.yaml</c> sets what the usual cases leave alone, and each arrives where it belongs.</summary>
public sealed class EveryValueTests
{
    private const string Worker = "auth-state-worker";

    private const string WebHost = "auth-state-web-host";

    // Values that no file can set, because they exclude what the files are about, and the test that sets them.
    private static readonly Dictionary<string, string> SetByATest = new(StringComparer.Ordinal)
    {
        ["nameOverride"] = nameof(NameOverride_NamesTheObjects_AndTheirPods),
        ["networkPolicy.enabled"] = nameof(WhatIsSwitchedOff_IsNotThere),
        ["redis.existingSecretKeys.url"] = nameof(WorkerRenderingTests.UrlOfASecret_ReplacesHostAndPassword),
        ["tests.image.digest"] = nameof(Digests_WinOverTags),
        ["trialRedis.image.digest"] = nameof(Digests_WinOverTags),
        ["trialRedis.image.pullPolicy"] = nameof(TrialRedis_IsWhatItsValuesSay),
        ["trialRedis.image.repository"] = nameof(TrialRedis_IsWhatItsValuesSay),
        ["trialRedis.image.tag"] = nameof(TrialRedis_IsWhatItsValuesSay),
        ["trialRedis.maxMemory"] = nameof(TrialRedis_IsWhatItsValuesSay),
        ["trialRedis.resources"] = nameof(TrialRedis_IsWhatItsValuesSay),
        ["webHost.migration.enabled"] = nameof(WhatIsSwitchedOff_IsNotThere),
        ["webHost.podDisruptionBudget.enabled"] = nameof(WhatIsSwitchedOff_IsNotThere),
        ["webHost.serviceAccount.create"] = nameof(ServiceAccountsOfSomebodyElse_AreNamed_AndNotMade),
        ["webHost.topologySpread.enabled"] = nameof(WhatIsSwitchedOff_IsNotThere),
        ["worker.enabled"] = nameof(WorkerRenderingTests.CronAlone_InstallsNoDeployment_AndSaysWhatIsMissing),
        ["worker.podDisruptionBudget.enabled"] = nameof(WhatIsSwitchedOff_IsNotThere),
        ["worker.serviceAccount.create"] = nameof(ServiceAccountsOfSomebodyElse_AreNamed_AndNotMade),
        ["worker.topologySpread.enabled"] = nameof(WhatIsSwitchedOff_IsNotThere),
    };

    private static readonly List<string> Leaves =
        [.. ValuesFile.Parse(ChartFolder.Read("values.yaml")).SelectMany(entry => entry.Leaves()).Select(leaf => leaf.Path)];

    private static Task<Manifests> EverythingAsync(params string[] above) => Chart.RenderAsync([ChartFolder.In("ci", "everything-values.yaml"), .. above]);

    [Fact]
    public void EachValue_IsSetByACiFile_OrByATestThatIsNamed()
    {
        Leaves.Count.ShouldBeGreaterThan(150);
        var set = ChartFolder.CiFiles().Select(file => YamlJson.Parse(File.ReadAllText(file))).ToList();
        Leaves.Where(leaf => !set.Any(values => IsSet(values, leaf))).Order(StringComparer.Ordinal)
            .ShouldBe(SetByATest.Keys.Order(StringComparer.Ordinal), "set it in ci/everything-values.yaml, or name the test that sets it");
    }

    [Fact]
    public async Task EachValueOfTheFile_ChangesWhatIsRendered()
    {
        var text = ChartFolder.Read("ci", "everything-values.yaml");
        using var folder = new TemporaryFolder();
        var all = await RenderedAsync(folder.Write("all.yaml", text));
        var silent = new List<string>();
        foreach (var leaf in Leaves.Where(leaf => IsSet(YamlJson.Parse(text), leaf)))
        {
            var without = YamlJson.Parse(text);
            Parent(without, leaf)!.Remove(leaf[(leaf.LastIndexOf('.') + 1)..]);
            if (await RenderedAsync(folder.Write($"{leaf}.yaml", without.ToJsonString())) == all)
            {
                silent.Add(leaf);
            }
        }

        silent.ShouldBeEmpty("these say nothing to any template, or say their default");

        // A refusal is an answer too: what is missing then was needed.
        static async Task<string> RenderedAsync(string file)
        {
            try
            {
                return await HelmRender.RunAsync(["-show", "manifests", "-f", file]);
            }
            catch (ChartException exception)
            {
                return exception.Message;
            }
        }
    }

    [Fact]
    public async Task CommonLabelsAndAnnotations_AreOnEveryObject_AndOnPods()
    {
        var manifests = await EverythingAsync();
        foreach (var item in manifests.All)
        {
            item.Strings("metadata.labels")["team"].ShouldBe("identity", Manifests.Title(item));
            item.Strings("metadata.annotations")["example.org/contact"].ShouldBe("identity@example.org", Manifests.Title(item));
            item.Text("metadata.name")!.ShouldStartWith("auth-", Case.Sensitive, "fullnameOverride, or an account's own name");
        }

        foreach (var (title, metadata, _) in manifests.Pods())
        {
            metadata.Strings("labels")["team"].ShouldBe("identity", title);
        }
    }

    [Fact]
    public async Task Pods_AreWhereAndWhatTheValuesSay()
    {
        var manifests = await EverythingAsync();
        var pods = manifests.Pods().ToList();
        pods.Count.ShouldBe(11, "two Deployments, two migrations, five CronJobs, two tests");
        foreach (var (title, metadata, spec) in pods)
        {
            // The pods of `helm test` go where the worker goes.
            var ours = title.Contains("web-host", StringComparison.Ordinal) || title == "Job/auth-state-migrate" ? "web-host" : "worker";
            spec.Strings("nodeSelector")["example.org/pool"].ShouldBe(ours, title);
            spec.Text("tolerations.0.key").ShouldBe($"example.org/{ours}-only", title);
            spec.Text("affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.0.key").ShouldBe($"example.org/{ours}-zone", title);
            spec.Text("priorityClassName").ShouldBe($"{ours}-priority", title);
            var container = spec.Items("containers").ShouldHaveSingleItem(title);
            container.Text("imagePullPolicy").ShouldBe("Always", title);
            if (title == "Pod/auth-state-test-http")
            {
                container.Text("image").ShouldBe("registry.example.org/busybox:1.36.9");
                continue;
            }

            container.Text("image").ShouldBe(ours == "worker" ? "registry.example.org/maintenance-worker:1.2.3" : "registry.example.org/maintenance-webhost:1.2.4", title);
            container.Text("resources.requests.memory").ShouldBe(ours == "worker" ? "111Mi" : "333Mi", title);
            container.Text("resources.limits.memory").ShouldBe(ours == "worker" ? "222Mi" : "444Mi", title);
            container.Text("envFrom.0.configMapRef.name").ShouldBe($"{ours}-variables", title);
            container.Items("env").Select(variable => variable.Text("name"))
                .ShouldContain(ours == "worker" ? "Alerting__Webhooks__slack__Url" : "Storage__Sessions__SlidingExpiration", title);
            if (title.StartsWith("Job/", StringComparison.Ordinal))
            {
                spec.Items("volumes").Select(volume => volume.Text("name")).ShouldBe(["tmp", "postgresql-tls"], title);
                continue;
            }

            spec.Items("volumes").Single(volume => volume.Text("name") == $"{ours}-extra").Text("secret.secretName").ShouldBe($"{ours}-extra", title);
            container.Items("volumeMounts").Single(mount => mount.Text("name") == $"{ours}-extra").Text("mountPath").ShouldBe($"/etc/{ours}-extra", title);
            spec.Text("serviceAccountName").ShouldBe($"auth-{ours}-account", title);
            if (!title.StartsWith("Pod/", StringComparison.Ordinal))
            {
                metadata.Strings("labels")["example.org/pod-label"].ShouldBe(ours, title);
                metadata.Strings("annotations")["example.org/pod"].ShouldBe(ours, title);
                metadata.Strings("annotations")["example.org/contact"].ShouldBe("identity@example.org", title);
                spec.Text("terminationGracePeriodSeconds").ShouldBe(ours == "worker" ? "33" : "55", title);
            }
        }
    }

    [Fact]
    public async Task Ports_Services_AndRoutes_AreThoseOfTheValues()
    {
        var manifests = await EverythingAsync();
        Ports(manifests["Deployment", Worker]).ShouldBe(["management:9081"]);
        Ports(manifests["Deployment", WebHost]).ShouldBe(["http:9080", "management:9082"]);
        Settings(manifests, Worker).Text("Management.Port").ShouldBe("9081");
        Settings(manifests, WebHost).Text("Management.Port").ShouldBe("9082");
        Settings(manifests, WebHost).Text("Api.Port").ShouldBe("9080");
        Service(Worker).ShouldBe(("NodePort", "9181", "worker"));
        Service(WebHost).ShouldBe(("LoadBalancer", "8888", "web-host"));
        manifests["Service", $"{WebHost}-management"].Text("spec.ports.0.port").ShouldBe("9082");
        manifests["Ingress", Worker].Strings("metadata.annotations")["example.org/ingress"].ShouldBe("worker");
        var route = manifests["HTTPRoute", WebHost];
        route.Strings("metadata.annotations")["example.org/route"].ShouldBe("web-host");
        route.Text("spec.rules.0.matches.0.path.value").ShouldBe("/auth");
        route.Text("spec.rules.0.backendRefs.0.port").ShouldBe("8888");

        static IEnumerable<string> Ports(JsonNode deployment) =>
            deployment.Items("spec.template.spec.containers.0.ports").Select(port => $"{port.Text("name")}:{port.Text("containerPort")}");

        (string?, string?, string?) Service(string name)
        {
            var service = manifests["Service", name];
            return (service.Text("spec.type"), service.Text("spec.ports.0.port"), service.Strings("metadata.annotations")["example.org/service"]);
        }
    }

    [Fact]
    public async Task Settings_AndSecrets_AreThoseOfTheValues()
    {
        var manifests = await EverythingAsync();
        const string connection = "Host=postgresql;Port=5433;Database=auth;Username=auth;SSL Mode=VerifyFull;Root Certificate=/etc/maintenance/postgresql-tls/postgresql-authorities.pem";
        Settings(manifests, WebHost).Text("Database.ConnectionString").ShouldBe(connection);
        foreach (var name in new[] { Worker, WebHost })
        {
            var settings = Settings(manifests, name);
            settings.Text("Logging.Console.FormatterName").ShouldBe("simple");
            settings.Text("Storage.Redis.Tls.CaFile").ShouldBe("/etc/maintenance/redis-tls/redis-authorities.pem");
            settings.Text("Archive.ConnectionString").ShouldBe(connection);
            Key(name, "PGPASSWORD").ShouldBe("postgresql-password");
        }

        Key(Worker, "Management__Token").ShouldBe("worker-token-key");
        Key(WebHost, "Mail__Password").ShouldBe("smtp-password");
        manifests["Deployment", WebHost].Items("spec.template.spec.volumes").Single(volume => volume.Text("name") == "data").Text("emptyDir.sizeLimit").ShouldBe("3Gi");

        string? Key(string name, string variable) => manifests["Deployment", name].Items("spec.template.spec.containers.0.env")
            .Single(item => item.Text("name") == variable).Text("valueFrom.secretKeyRef.key");
    }

    [Fact]
    public async Task Deployments_Budgets_Accounts_AndMigrations_AreThoseOfTheValues()
    {
        var manifests = await EverythingAsync();
        manifests["Deployment", WebHost].Text("spec.replicas").ShouldBe("5");
        manifests["Deployment", WebHost].Text("spec.template.spec.topologySpreadConstraints.1.whenUnsatisfiable").ShouldBe("DoNotSchedule");
        manifests["Deployment", WebHost].Text("spec.template.spec.containers.0.lifecycle.preStop.sleep.seconds").ShouldBe("7");
        manifests["PodDisruptionBudget", Worker].Text("spec.maxUnavailable").ShouldBe("25%");
        manifests["PodDisruptionBudget", WebHost].Text("spec.maxUnavailable").ShouldBe("2");
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
        var manifests = await EverythingAsync();
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
    public async Task Monitoring_IsWhatTheValuesSay()
    {
        var manifests = await EverythingAsync();
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
    public async Task Notes_SayThatAlertsNeedRunbooks_UntilTheValuesSayWhereTheyLie()
    {
        const string advice = "monitoring.prometheusRule.runbooksUrl";
        (await Chart.NotesAsync(ChartFolder.In("ci", "monitoring-values.yaml"))).ShouldContain(advice);
        (await Chart.NotesAsync(ChartFolder.In("ci", "everything-values.yaml"))).ShouldNotContain(advice);
        (await Chart.NotesAsync(ChartFolder.In("ci", "default-values.yaml"))).ShouldNotContain(advice);
    }

    [Fact]
    public async Task NetworkPolicies_AreWhatTheValuesSay()
    {
        var manifests = await EverythingAsync();
        foreach (var name in new[] { Worker, WebHost, "auth-state-test", "auth-state-migrate" })
        {
            var egress = manifests["NetworkPolicy", name].Items("spec.egress").ToList();
            egress.Where(rule => rule.Text("ports.0.port") == "5433").ShouldHaveSingleItem(name).Text("to.0.ipBlock.cidr").ShouldBe("10.9.0.0/16");
            egress.Select(rule => rule.Text("ports.0.port")).ShouldContain("4317", name);
            egress.SelectMany(rule => rule.Items("ports")).Select(port => port.Text("port")).Contains("4430").ShouldBe(name != "auth-state-migrate", name);
            egress.SelectMany(rule => rule.Items("ports")).Select(port => port.Text("port")).ShouldNotContain("443", name);
        }

        var ingress = manifests["NetworkPolicy", WebHost].Items("spec.ingress").ToList();
        ingress.Single(rule => rule.Text("ports.0.port") == "http").Items("from").Select(peer => peer.ToJsonString())
            .ShouldContain("""{"namespaceSelector":{"matchLabels":{"example.org/role":"gateway"}}}""");
        ingress.Single(rule => rule.Text("ports.0.port") == "management")["from"].ShouldBeNull();
    }

    [Fact]
    public async Task NameOverride_NamesTheObjects_AndTheirPods()
    {
        var manifests = await Chart.RenderAsync([Chart.LeastValues, "nameOverride: auth"], new ReleaseOptions { Name = "live" });
        var worker = manifests["Deployment", "live-auth-worker"];
        worker.Strings("spec.selector.matchLabels")["app.kubernetes.io/name"].ShouldBe("auth");
        manifests.All.ShouldAllBe(item => item.Strings("metadata.labels")["app.kubernetes.io/name"] == "auth" && item.Text("metadata.name")!.StartsWith("live-auth-", StringComparison.Ordinal));
        manifests["NetworkPolicy", "live-auth-worker"].Strings("spec.podSelector.matchLabels")["app.kubernetes.io/name"].ShouldBe("auth");
    }

    [Fact]
    public async Task ServiceAccountsOfSomebodyElse_AreNamed_AndNotMade()
    {
        var manifests = await EverythingAsync("{worker: {serviceAccount: {create: false}}, webHost: {serviceAccount: {create: false}}}");
        manifests.Of("ServiceAccount").Select(item => item.Text("metadata.name")).ShouldBe(["auth-state-migrate", "auth-state-migrate-archive"], ignoreOrder: true);
        manifests["Deployment", Worker].Text("spec.template.spec.serviceAccountName").ShouldBe("auth-worker-account");
        manifests["Deployment", WebHost].Text("spec.template.spec.serviceAccountName").ShouldBe("auth-web-host-account");
        (await Chart.RenderAsync([Chart.LeastValues, "worker: {serviceAccount: {create: false}}"]))["Deployment", "maintenance-worker"]
            .Text("spec.template.spec.serviceAccountName").ShouldBe("default");
    }

    [Theory]
    [InlineData("networkPolicy: {enabled: false}", "NetworkPolicy", null)]
    [InlineData("webHost: {migration: {enabled: false}}", "Job", null)]
    [InlineData("webHost: {podDisruptionBudget: {enabled: false}}", "PodDisruptionBudget", Worker)]
    [InlineData("worker: {podDisruptionBudget: {enabled: false}}", "PodDisruptionBudget", WebHost)]
    public async Task WhatIsSwitchedOff_IsNotThere(string values, string kind, string? left)
    {
        (await EverythingAsync()).Of(kind).Count().ShouldBeGreaterThan(1);
        (await EverythingAsync(values)).Of(kind).Select(item => item.Text("metadata.name")!).ShouldBe(left is null ? [] : [left]);
        var spread = await EverythingAsync("{worker: {topologySpread: {enabled: false}}, webHost: {topologySpread: {enabled: false}}}");
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

    private static JsonNode Settings(Manifests manifests, string name) =>
        JsonNode.Parse(manifests["ConfigMap", name].At("data")!["appsettings.Production.json"]!.ToString())!;

    private static bool IsSet(JsonNode values, string leaf) => Parent(values, leaf)?.ContainsKey(leaf[(leaf.LastIndexOf('.') + 1)..]) == true;

    private static JsonObject? Parent(JsonNode values, string leaf) =>
        leaf.Split('.')[..^1].Aggregate((JsonNode?)values, (node, name) => (node as JsonObject)?[name]) as JsonObject;
}
