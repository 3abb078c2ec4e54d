using System.Text.Json.Nodes;

namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>What the values make of the worker.</summary>
public sealed class WorkerRenderingTests
{
    private static Task<Manifests> CiAsync(string name) => Chart.RenderAsync(ChartFolder.In("ci", $"{name}-values.yaml"));

    private static JsonNode Settings(Manifests manifests, string name = "maintenance-worker") =>
        JsonNode.Parse(manifests["ConfigMap", name].At("data")!["appsettings.Production.json"]!.ToString())!;

    private static JsonNode? Variable(JsonNode workload, string name) =>
        workload.Items("spec.template.spec.containers.0.env").SingleOrDefault(variable => variable.Text("name") == name);

    [Fact]
    public async Task Default_HasTwoReplicas_ThatAreProbedApart_AndSpread()
    {
        var worker = (await CiAsync("default"))["Deployment", "maintenance-worker"];
        worker.Text("spec.replicas").ShouldBe("2");
        var container = worker.At("spec.template.spec.containers.0")!;
        container.Text("startupProbe.httpGet.path").ShouldBe("/healthz/startup");
        container.Text("livenessProbe.httpGet.path").ShouldBe("/healthz/live");
        container.Text("readinessProbe.httpGet.path").ShouldBe("/healthz/ready");
        container.Text("image").ShouldBe("maintenance-worker:0.1.0");
        container["args"].ShouldBeNull();
        worker.Items("spec.template.spec.topologySpreadConstraints").Select(constraint => constraint.Text("topologyKey"))
            .ShouldBe(["topology.kubernetes.io/zone", "kubernetes.io/hostname"]);
    }

    [Fact]
    public async Task Default_GivesMoreTimeToEnd_ThanTheWorkerTakes()
    {
        var worker = (await CiAsync("default"))["Deployment", "maintenance-worker"];
        // WorkerHost's shutdown timeout; the longest batch is one flush and ends within a command's deadline of 2 s.
        int.Parse(worker.Text("spec.template.spec.terminationGracePeriodSeconds")!).ShouldBeGreaterThan(8 + 2 + 5);
    }

    [Fact]
    public async Task Default_ShowsMetricsOfPodsThatAreNotReady()
    {
        var service = (await CiAsync("default"))["Service", "maintenance-worker"];
        service.Text("spec.publishNotReadyAddresses").ShouldBe("true");
        service.Text("spec.ports.0.port").ShouldBe("8081");
    }

    [Fact]
    public async Task Settings_GoIntoTheFile_AndAChangeRollsThePods()
    {
        const string settings = "worker: {settings: {Jobs: {SessionCleanup: {Schedule: '00:20:00'}}, Logging: {LogLevel: {Quartz: Error}}}}";
        var before = await CiAsync("default");
        var after = await Chart.RenderAsync(Chart.LeastValues + settings);
        Settings(after).Text("Jobs.SessionCleanup.Schedule").ShouldBe("00:20:00");
        Settings(after).Text("Logging.LogLevel.Quartz").ShouldBe("Error");
        Settings(after).Text("Logging.Console.FormatterName").ShouldBe("json");
        Settings(after).Text("Storage.Redis.Host").ShouldBe("redis");
        Checksum(after).ShouldNotBe(Checksum(before));
        Checksum(await CiAsync("default")).ShouldBe(Checksum(before));

        static string Checksum(Manifests manifests) =>
            manifests["Deployment", "maintenance-worker"].At("spec.template.metadata.annotations")!["checksum/settings"]!.ToString();
    }

    [Fact]
    public async Task ExistingSecret_IsReferredTo_WithUserAndToken()
    {
        var manifests = await CiAsync("existing-secret");
        var worker = manifests["Deployment", "maintenance-worker"];
        Variable(worker, "Storage__Redis__Password")!.At("valueFrom.secretKeyRef")!.ToJsonString()
            .ShouldBe("""{"name":"redis-credentials","key":"redis-password"}""");
        Variable(worker, "Management__Token")!.Text("valueFrom.secretKeyRef.name").ShouldBe("worker-token");
        Variable(worker, "PGPASSWORD").ShouldBeNull();
        Variable(worker, "Archive__ConnectionString")!.Text("valueFrom.secretKeyRef.key").ShouldBe("npgsql");
        Variable(manifests["Job", "maintenance-migrate-archive"], "Archive__ConnectionString")!.Text("valueFrom.secretKeyRef.key").ShouldBe("npgsql");
        var settings = Settings(manifests);
        settings.Text("Storage.Redis.User").ShouldBe("maintenance");
        settings.Text("Storage.Redis.Port").ShouldBe("6380");
        settings.Text("Storage.Redis.Database").ShouldBe("2");
        settings.Text("Storage.Redis.KeyPrefix").ShouldBe("auth:");
        settings.Text("Management.RequireToken").ShouldBe("true");
        settings.Text("Jobs.SessionCleanup.Budget.CommandsPerSecond").ShouldBe("5000");
        worker.Text("spec.template.spec.imagePullSecrets.0.name").ShouldBe("registry");
        worker.Text("spec.template.spec.containers.0.image")
            .ShouldBe("registry.example.org/auth/maintenance-worker@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    }

    [Fact]
    public async Task UrlOfASecret_ReplacesHostAndPassword()
    {
        var manifests = await Chart.RenderAsync("redis: {existingSecret: r, existingSecretKeys: {url: url}}\nwebHost: {enabled: false}");
        var worker = manifests["Deployment", "maintenance-worker"];
        Variable(worker, "Storage__Redis__Url")!.Text("valueFrom.secretKeyRef.key").ShouldBe("url");
        Variable(worker, "Storage__Redis__Password").ShouldBeNull();
        Settings(manifests).At("Storage.Redis.Host").ShouldBeNull();
    }

    [Fact]
    public async Task Tls_MountsTheCertificates_AndNamesThem()
    {
        var manifests = await CiAsync("tls");
        var tls = Settings(manifests).At("Storage.Redis.Tls")!;
        tls.ToJsonString().ShouldBe("""
            {"CaFile":"/etc/maintenance/redis-tls/ca.crt","ClientCertificateFile":"/etc/maintenance/redis-tls/tls.crt","ClientKeyFile":"/etc/maintenance/redis-tls/tls.key","Enabled":true,"ServerName":"redis.example.org"}
            """.Trim());
        var spec = manifests["Deployment", "maintenance-worker"].At("spec.template.spec")!;
        var volume = spec.Items("volumes").Single(item => item.Text("name") == "redis-tls");
        volume.Text("secret.secretName").ShouldBe("redis-tls");
        volume.Text("secret.defaultMode").ShouldBe($"{Convert.ToInt32("440", 8)}");
        spec.Items("containers.0.volumeMounts").Single(item => item.Text("name") == "redis-tls").Text("mountPath").ShouldBe("/etc/maintenance/redis-tls");
        spec.Items("volumes").ShouldAllBe(item => item.Text("name") != "postgresql-tls");
    }

    [Fact]
    public async Task Cluster_IsOneWithoutWebHost()
    {
        var manifests = await CiAsync("cluster");
        manifests.Of("Deployment").Select(item => item.Text("metadata.name")).ShouldBe(["maintenance-worker"]);
        Settings(manifests).Items("Storage.Redis.Cluster.Endpoints").Select(node => node.ToString())
            .ShouldBe(["redis-cluster:6379", "redis-cluster-0.redis-cluster:6379", "redis-cluster-1.redis-cluster:6379"]);
        Settings(manifests).At("Storage.Redis.Host").ShouldBeNull();
        manifests.Of("Job").ShouldBeEmpty();
        manifests["Deployment", "maintenance-worker"].Text("spec.template.spec.topologySpreadConstraints.0.whenUnsatisfiable").ShouldBe("DoNotSchedule");
    }

    [Fact]
    public async Task Cron_RunsSingleJobs_WhichTheDeploymentNoLongerSchedules()
    {
        var manifests = await CiAsync("cron");
        manifests.Of("CronJob").Select(item => item.Text("metadata.name")).Order(StringComparer.Ordinal)
            .ShouldBe(["maintenance-index-reconciliation", "maintenance-session-cleanup"]);
        var cron = manifests["CronJob", "maintenance-index-reconciliation"];
        cron.Text("spec.schedule").ShouldBe("30 3 * * *");
        cron.Text("spec.concurrencyPolicy").ShouldBe("Forbid");
        var pod = cron.At("spec.jobTemplate.spec.template.spec")!;
        pod.At("containers.0.args")!.ToJsonString().ShouldBe("""["run","index-reconciliation","--json"]""");
        pod.Text("restartPolicy").ShouldBe("Never");
        cron.At("spec.jobTemplate.spec.podFailurePolicy.rules.0.onExitCodes.values")!.ToJsonString().ShouldBe("[2,3]");
        var jobs = Settings(manifests).At("Jobs")!;
        jobs.ToJsonString().ShouldBe("""{"IndexReconciliation":{"Enabled":false},"SessionCleanup":{"Enabled":false}}""");
        // A CronJob's pods are none of the Deployment's or the Service's.
        cron.At("spec.jobTemplate.spec.template.metadata.labels")!["app.kubernetes.io/component"]!.ToString().ShouldBe("worker-job");
    }

    [Fact]
    public async Task CronAlone_InstallsNoDeployment_AndSaysWhatIsMissing()
    {
        const string values = "redis: {host: redis}\nwebHost: {enabled: false}\nworker: {enabled: false, cronJobs: {memory-alerts: {enabled: true}}}";
        var manifests = await Chart.RenderAsync(values);
        manifests.Of("Deployment").ShouldBeEmpty();
        manifests.Of("CronJob").ShouldHaveSingleItem();
        manifests.Find("ConfigMap", "maintenance-worker").ShouldNotBeNull();
        var notes = await Chart.NotesAsync(values);
        notes.ShouldContain("nobody exports metrics");

        // What the notes promise: `helm test` asks Redis with the settings, account and way out of the CronJobs' pods.
        notes.ShouldContain("helm test maintenance");
        var check = manifests.Of("Pod").ShouldHaveSingleItem();
        check.At("spec.containers.0.args")!.ToJsonString().ShouldBe("""["check"]""");
        check.Text("spec.serviceAccountName").ShouldBe(manifests.Of("CronJob").Single().Text("spec.jobTemplate.spec.template.spec.serviceAccountName"));
        manifests["NetworkPolicy", "maintenance-test"].Strings("spec.podSelector.matchLabels").ShouldBeSubsetOf(check.Strings("metadata.labels"));
    }

    [Fact]
    public async Task CronJobs_HaveNamesThatKubernetesTakes_UnderALongReleaseName()
    {
        var options = new ReleaseOptions { Name = "a-release-name-that-is-as-long-as-helm-allows-it-to-be" };
        var values = string.Concat(new[] { "session-cleanup", "index-reconciliation", "redis-health", "memory-alerts", "keyspace-stats" }
            .Select(job => $"\n    {job}: {{enabled: true}}"));
        var manifests = await Chart.RenderAsync(Chart.LeastValues + "worker:\n  cronJobs:" + values, options);
        manifests.Of("CronJob").Count().ShouldBe(5);
        manifests.Of("CronJob").ShouldAllBe(item => item.Text("metadata.name")!.Length <= 52);
        manifests.All.ShouldAllBe(item => item.Text("metadata.name")!.Length <= 63);
    }

    [Fact]
    public async Task TrialRedis_IsMarked_AndKeepsItsPassword_OverAnUpgrade()
    {
        var install = await CiAsync("cron");
        var secret = install["Secret", "maintenance-trial-redis"];
        install["Deployment", "maintenance-trial-redis"].At("metadata.annotations")!["maintenance/trial"]!.ToString().ShouldContain("Not for production");
        Settings(install).Text("Storage.Redis.Host").ShouldBe("maintenance-trial-redis");
        Variable(install["Deployment", "maintenance-worker"], "Storage__Redis__Password")!.Text("valueFrom.secretKeyRef.name").ShouldBe("maintenance-trial-redis");
        (await Chart.NotesAsync(ChartFolder.In("ci", "cron-values.yaml"))).ShouldContain("WARNING: trialRedis is on");

        var again = await Chart.RenderAsync(
            ChartFolder.In("ci", "cron-values.yaml"), new ReleaseOptions { Upgrade = true, Cluster = [secret.DeepClone()] });
        again["Secret", "maintenance-trial-redis"].Text("data.password").ShouldBe(secret.Text("data.password"));
        Convert.FromBase64String(secret.Text("data.password")!).Length.ShouldBe(32);
        (await Chart.RenderAsync(ChartFolder.In("ci", "cron-values.yaml"), new ReleaseOptions { Turn = 2 }))["Secret", "maintenance-trial-redis"].Text("data.password").ShouldNotBe(secret.Text("data.password"));
    }

    [Fact]
    public async Task TrialRedis_TakesItsPassword_AndNobodyReadsItInTheListOfProcesses()
    {
        var container = (await CiAsync("cron"))["Deployment", "maintenance-trial-redis"].At("spec.template.spec.containers.0")!;
        string[] command = [.. container.Items("command").Concat(container.Items("args")).Select(word => word.ToString().Replace("dir /data", "", StringComparison.Ordinal))];
        using var folder = new TemporaryFolder();
        const string password = "with \"quotes\", a $ and a \\ in it";
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Next();
            // What follows the script's name goes to redis-server, and wins.
            await using var server = ChildProcess.Start(
                command[0],
                [.. command[1..], "--port", $"{port}", "--bind", "127.0.0.1", "--dir", folder.Path],
                new Dictionary<string, string?>(StringComparer.Ordinal) { ["REDISCLI_AUTH"] = password });
            RespConnection? connection = null;
            await Eventually.TrueAsync(
                async () => server.HasExited || (connection = await RespConnection.ConnectAsync(port)) is not null, TimeSpan.FromMinutes(1));
            if (connection is null)
            {
                attempt.ShouldBeLessThan(3, server.Tail());
                continue;
            }

            using (connection)
            {
                (await Should.ThrowAsync<RespErrorException>(() => connection.ExecuteAsync(["GET", "a"]))).Message.ShouldContain("NOAUTH");
                await connection.ExecuteAsync(["AUTH", password]);
                ((object?[])(await connection.ExecuteAsync(["CONFIG", "GET", "maxmemory-policy"]))!)[1].ShouldBe("noeviction");
                (await File.ReadAllTextAsync($"/proc/{server.Id}/cmdline")).ShouldNotContain("quotes");
                return;
            }
        }
    }

    [Fact]
    public async Task NetworkPolicy_OpensOnlyWhatTheWorkerNeeds()
    {
        var policy = (await CiAsync("existing-secret"))["NetworkPolicy", "maintenance-worker"];
        policy.Items("spec.egress").SelectMany(rule => rule.Items("ports")).Select(port => port.Text("port")).ShouldBe(["53", "53", "5353", "5353", "6380", "5432", "443", "587"]);
        policy.At("spec.egress.1.to.0.namespaceSelector.matchLabels")!.ToJsonString().ShouldContain("data");
        policy.Items("spec.ingress").Single().Text("ports.0.port").ShouldBe("management");
        (await Chart.RenderAsync(Chart.LeastValues + "networkPolicy: {enabled: false}")).Of("NetworkPolicy").ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{Alerting: {Alertmanager: {Urls: ['http://alertmanager.monitoring:9093/am']}}}", 9093)]
    [InlineData("{Alerting: {Alertmanager: {Urls: ['http://alertmanager/am']}}}", 80)]
    [InlineData("{Alerting: {Alertmanager: {Urls: ['https://alertmanager.example.org:8443']}}}", 8443)]
    [InlineData("{Storage: {Redis: {Sentinel: {ServiceName: mymaster, Endpoints: ['10.1.2.3:26379']}}}}", 26379)]
    [InlineData("{Jobs: {SessionCleanup: {Schedule: '00:30:00'}}}", null)]
    public async Task NetworkPolicy_OpensThePortsThatTheSettingsName(string settings, int? port)
    {
        var policy = (await Chart.RenderAsync([Chart.LeastValues, $"worker: {{settings: {settings} }}"]))["NetworkPolicy", "maintenance-worker"];
        var ports = policy.Items("spec.egress").SelectMany(rule => rule.Items("ports")).Select(item => int.Parse(item.Text("port")!)).ToList();
        ports.Except([53, 5353, 6379, 443, 587]).ShouldBe(port is { } named ? [named] : []);
    }

    [Fact]
    public async Task Ingress_LeadsToTheStatusPage_WhichAsksForTheToken()
    {
        var manifests = await CiAsync("existing-secret");
        var ingress = manifests["Ingress", "maintenance-worker"];
        ingress.Text("spec.rules.0.host").ShouldBe("status.example.org");
        ingress.At("spec.rules.0.http.paths.0.backend.service")!.ToJsonString().ShouldBe("""{"name":"maintenance-worker","port":{"name":"management"}}""");
        manifests["Service", "maintenance-worker"].Text("spec.ports.0.name").ShouldBe("management");
        Settings(manifests).Text("Management.RequireToken").ShouldBe("true");
    }

    [Fact]
    public async Task EachProgram_HasAUserOfItsOwn_AndItsOwnPassword()
    {
        var manifests = await CiAsync("tls");
        foreach (var (name, user) in new[] { ("maintenance-worker", "worker"), ("maintenance-web-host", "webhost") })
        {
            JsonNode.Parse(manifests["ConfigMap", name].At("data")!["appsettings.Production.json"]!.ToString())!.Text("Storage.Redis.User").ShouldBe(user);
            Variable(manifests["Deployment", name], "Storage__Redis__Password")!.At("valueFrom.secretKeyRef")!.ToJsonString().ShouldBe($$"""{"name":"redis","key":"{{user}}-password"}""");
        }

        (await Chart.NotesAsync(ChartFolder.In("ci", "tls-values.yaml"))).ShouldContain("deploy/redis/start.sh users");
    }

    [Fact]
    public async Task Test_ChecksRedis_AndAsksEveryService()
    {
        var manifests = await CiAsync("default");
        var check = manifests["Pod", "maintenance-test-check"];
        check.At("metadata.annotations")!["helm.sh/hook"]!.ToString().ShouldBe("test");
        check.At("spec.containers.0.args")!.ToJsonString().ShouldBe("""["check"]""");
        var asked = manifests["Pod", "maintenance-test-http"].Items("spec.containers.0.args").Skip(2).Select(url => new Uri(url.ToString())).ToList();
        asked.Count.ShouldBe(5);
        foreach (var url in asked)
        {
            manifests["Service", url.Host].Items("spec.ports").Select(port => int.Parse(port.Text("port")!)).ShouldContain(url.Port);
        }
    }
}
