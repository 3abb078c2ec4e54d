using System.Text.Json.Nodes;

namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>What the values make of the web host.</summary>
public sealed class WebHostRenderingTests
{
    private const string Name = "maintenance-web-host";

    private static Task<Manifests> CiAsync(string name) => Chart.RenderAsync(ChartFolder.In("ci", $"{name}-values.yaml"));

    private static JsonNode Settings(Manifests manifests) => JsonNode.Parse(manifests["ConfigMap", Name].At("data")!["appsettings.Production.json"]!.ToString())!;

    private static JsonNode? Variable(JsonNode podSpec, string name) =>
        podSpec.Items("containers.0.env").SingleOrDefault(variable => variable.Text("name") == name);

    [Fact]
    public async Task Default_ServesTheApiApartFromManagement()
    {
        var manifests = await CiAsync("default");
        manifests["Service", Name].Items("spec.ports").Single().Text("targetPort").ShouldBe("http");
        manifests["Service", $"{Name}-management"].Items("spec.ports").Single().Text("targetPort").ShouldBe("management");
        var settings = Settings(manifests);
        settings.Text("Api.Port").ShouldBe("8080");
        settings.Text("Management.Port").ShouldBe("8082");
        var host = manifests["Deployment", Name];
        host.Text("spec.replicas").ShouldBe("2");
        host.Text("spec.strategy.rollingUpdate.maxUnavailable").ShouldBe("0");
        host.Text("spec.template.spec.containers.0.readinessProbe.httpGet.port").ShouldBe("management");
    }

    [Fact]
    public async Task Password_OfPostgres_NeverStandsInTheConnectionString()
    {
        var manifests = await CiAsync("tls");
        Settings(manifests).Text("Database.ConnectionString").ShouldBe(
            "Host=postgresql;Port=5432;Database=maintenance;Username=maintenance;SSL Mode=VerifyFull;Root Certificate=/etc/maintenance/postgresql-tls/ca.crt");
        var spec = manifests["Deployment", Name].At("spec.template.spec")!;
        Variable(spec, "PGPASSWORD")!.Text("valueFrom.secretKeyRef.name").ShouldBe("postgresql");
        spec.Items("volumes").Single(volume => volume.Text("name") == "postgresql-tls").Text("secret.secretName").ShouldBe("postgresql-tls");
    }

    [Fact]
    public async Task ConnectionStringOfASecret_ReplacesTheSettings()
    {
        var manifests = await CiAsync("existing-secret");
        Settings(manifests).At("Database.ConnectionString").ShouldBeNull();
        var spec = manifests["Deployment", Name].At("spec.template.spec")!;
        Variable(spec, "Database__ConnectionString")!.At("valueFrom.secretKeyRef")!.ToJsonString().ShouldBe("""{"name":"database-credentials","key":"npgsql"}""");
        Variable(spec, "PGPASSWORD").ShouldBeNull();
    }

    [Fact]
    public async Task Mail_LeavesByTheServer_WithThePasswordOfTheSecret()
    {
        var manifests = await CiAsync("existing-secret");
        Settings(manifests).At("Mail")!.ToJsonString().ShouldBe(
            """{"From":"no-reply@example.org","Host":"smtp.example.org","Port":587,"PublicUrl":"https://auth.example.org","User":"auth"}""");
        Variable(manifests["Deployment", Name].At("spec.template.spec")!, "Mail__Password")!.Text("valueFrom.secretKeyRef.name").ShouldBe("smtp");
    }

    [Fact]
    public async Task Data_IsAClaim_OrEachPodsOwnRoom()
    {
        (await CiAsync("existing-secret"))["Deployment", Name].Items("spec.template.spec.volumes").Single(volume => volume.Text("name") == "data")
            .Text("persistentVolumeClaim.claimName").ShouldBe("auth-data");
        var own = (await CiAsync("default"))["Deployment", Name].At("spec.template.spec")!;
        own.Items("volumes").Single(volume => volume.Text("name") == "data").Text("emptyDir.sizeLimit").ShouldBe("1Gi");
        own.Items("containers.0.volumeMounts").Single(mount => mount.Text("name") == "data").Text("mountPath").ShouldBe("/data");
        Settings(await CiAsync("default")).Text("Avatars.Folder").ShouldBe("/data/avatars");
    }

    [Fact]
    public async Task Grace_IsLongerThanDrainAndShutdown()
    {
        var pod = (await CiAsync("default"))["Deployment", Name].At("spec.template.spec")!;
        // The host gives requests under way 8 s.
        int.Parse(pod.Text("terminationGracePeriodSeconds")!)
            .ShouldBeGreaterThan(int.Parse(pod.Text("containers.0.lifecycle.preStop.sleep.seconds")!) + 8 + 5);
    }

    [Fact]
    public async Task PreStopSleep_IsLeftOut_WhereKubernetesDoesNotKnowIt() =>
        (await Chart.RenderAsync(Chart.LeastValues, new ReleaseOptions { KubeVersion = "v1.29.4" }))["Deployment", Name]
            .At("spec.template.spec.containers.0.lifecycle").ShouldBeNull();

    [Fact]
    public async Task Ingress_LeadsToTheApiOnly()
    {
        var ingress = (await CiAsync("existing-secret"))["Ingress", Name];
        ingress.Text("spec.ingressClassName").ShouldBe("nginx");
        ingress.Text("spec.rules.0.host").ShouldBe("auth.example.org");
        ingress.At("spec.rules.0.http.paths.0.backend.service")!.ToJsonString().ShouldBe($$$"""{"name":"{{{Name}}}","port":{"name":"http"}}""");
        ingress.Text("spec.tls.0.secretName").ShouldBe("auth-tls");
    }

    [Fact]
    public async Task Proxies_AreBelieved_IfNamed_AndNotesSayWhenNoneIs()
    {
        Settings(await CiAsync("existing-secret")).At("Proxies.Networks")!.ToJsonString().ShouldBe("""["10.0.0.0/8"]""");
        Settings(await CiAsync("default")).At("Proxies").ShouldBeNull();
        const string warning = "WARNING: webHost.trustedProxies is empty";
        (await Chart.NotesAsync(ChartFolder.In("ci", "existing-secret-values.yaml"))).ShouldNotContain(warning);
        (await Chart.NotesAsync(Chart.LeastValues.Replace("webHost: {", "webHost: {ingress: {enabled: true, hosts: [{host: auth.example.org}]}, ", StringComparison.Ordinal))).ShouldContain(warning);
    }

    [Theory]
    [InlineData("tls: []", "http://auth.example.org", true)]
    [InlineData("tls: [{secretName: t, hosts: [auth.example.org]}]", "https://auth.example.org", false)]
    [InlineData("tls: [{secretName: t, hosts: ['*.example.org']}]", "https://auth.example.org", false)]
    [InlineData("tls: [{secretName: t}]", "https://auth.example.org", false)]
    [InlineData("tls: [{secretName: t, hosts: [other.example.org]}]", "http://auth.example.org", false)]
    public async Task Notes_NameTheIngressAsItsTlsSays(string tls, string url, bool warned)
    {
        var notes = await Chart.NotesAsync(
            Chart.LeastValues.Replace("webHost: {", $"webHost: {{ingress: {{enabled: true, hosts: [{{host: auth.example.org}}], {tls}}}, ", StringComparison.Ordinal));
        notes.Split('\n').ShouldContain($"  {url}");
        notes.Contains("The Ingress has no TLS of its own", StringComparison.Ordinal).ShouldBe(warned);
    }

    [Theory]
    [InlineData("{}", true, false)]
    [InlineData("{AdminPages: {OnApiPort: true}}", true, true)]
    [InlineData("{AdminPages: {Enabled: false}}", false, false)]
    public async Task AdminPages_AreReachedByTheManagementService_AsTheSettingsSay(string settings, bool enabled, bool onApi)
    {
        var manifests = await Chart.RenderAsync([Chart.LeastValues, $"webHost: {{settings: {settings} }}"]);
        (Settings(manifests).Text("AdminPages.Enabled") != "false").ShouldBe(enabled);
        (Settings(manifests).Text("AdminPages.OnApiPort") == "true").ShouldBe(onApi);
        manifests["Service", $"{Name}-management"].Text("spec.type").ShouldBe("ClusterIP");
        (await Chart.NotesAsync(Chart.LeastValues)).ShouldContain($"port-forward service/{Name}-management 8082:8082");
    }

    [Fact]
    public async Task NetworkPolicy_OpensTheMailServersPort()
    {
        var policy = (await CiAsync("monitoring"))["NetworkPolicy", Name];
        policy.Items("spec.egress").SelectMany(rule => rule.Items("ports")).Select(port => port.Text("port")).ShouldContain("465");
    }

    [Fact]
    public async Task HttpRoute_LeadsToTheApiOnly()
    {
        var manifests = await CiAsync("monitoring");
        var route = manifests["HTTPRoute", Name];
        route.Text("spec.parentRefs.0.name").ShouldBe("public");
        route.Text("spec.hostnames.0").ShouldBe("auth.example.org");
        route.Text("spec.rules.0.backendRefs.0.name").ShouldBe(Name);
        route.Text("spec.rules.0.backendRefs.0.port").ShouldBe(manifests["Service", Name].Text("spec.ports.0.port"));
    }

    [Fact]
    public async Task Autoscaler_TakesTheReplicasOver()
    {
        var manifests = await CiAsync("monitoring");
        var scaler = manifests["HorizontalPodAutoscaler", Name];
        scaler.Text("spec.scaleTargetRef.name").ShouldBe(Name);
        scaler.Text("spec.minReplicas").ShouldBe("3");
        scaler.Text("spec.maxReplicas").ShouldBe("12");
        scaler.Text("spec.metrics.0.resource.target.averageUtilization").ShouldBe("60");
        manifests["Deployment", Name].At("spec.replicas").ShouldBeNull();
    }

    [Fact]
    public async Task Migration_RunsBefore_WithNothingOfTheRelease()
    {
        var manifests = await CiAsync("tls");
        var job = manifests["Job", "maintenance-migrate"];
        job.At("metadata.annotations")!["helm.sh/hook"]!.ToString().ShouldBe("pre-install,pre-upgrade");
        var spec = job.At("spec.template.spec")!;
        spec.At("containers.0.args")!.ToJsonString().ShouldBe("""["migrate"]""");
        Variable(spec, "Database__ConnectionString")!.Text("value").ShouldBe(Settings(manifests).Text("Database.ConnectionString"));
        Variable(spec, "PGPASSWORD").ShouldNotBeNull();
        spec.Items("volumes").ShouldAllBe(volume => volume["configMap"] == null);
        spec.Items("volumes").Select(volume => volume.Text("name")).ShouldContain("postgresql-tls");
        // Its account is a hook too, and there first.
        var account = manifests["ServiceAccount", spec.Text("serviceAccountName")!].At("metadata.annotations")!;
        account["helm.sh/hook"]!.ToString().ShouldBe("pre-install,pre-upgrade");
        int.Parse(account["helm.sh/hook-weight"]!.ToString()).ShouldBeLessThan(int.Parse(job.At("metadata.annotations")!["helm.sh/hook-weight"]!.ToString()));
        (await Chart.RenderAsync([Chart.LeastValues, "webHost: {migration: {enabled: false}}"])).Of("Job").ShouldBeEmpty();
    }

    [Theory]
    [InlineData("webHost", "maintenance-migrate")]
    [InlineData("worker", "maintenance-migrate-archive")]
    public async Task Migration_HasVolumesMountsAndLabelsOfItsProgram_ButNoMountOfWhatOnlyTheDeploymentHas(string program, string job)
    {
        var manifests = await Chart.RenderAsync([Chart.LeastValues, $$$"""
            postgresql: {archive: true}
            {{{program}}}:
              podLabels: {example.org/mesh: "yes"}
              podAnnotations: {example.org/inject: "no"}
              extraVolumes: [{name: authorities, configMap: {name: company-authorities}}]
              extraVolumeMounts:
                - {name: authorities, mountPath: /etc/ssl/certs, readOnly: true}
                - {name: settings, mountPath: /etc/also-settings}
                - {name: tmp, mountPath: /var/tmp}
              extraEnv: [{name: SSL_CERT_DIR, value: /etc/ssl/certs}]
              extraEnvFrom: [{configMapRef: {name: further}}]
            """]);
        var pod = manifests["Job", job].At("spec.template")!;
        pod.Strings("metadata.labels")["example.org/mesh"].ShouldBe("yes");
        pod.Strings("metadata.labels")["app.kubernetes.io/component"].ShouldBe("migration");
        pod.Strings("metadata.annotations")["example.org/inject"].ShouldBe("no");
        pod.Items("spec.volumes").Select(volume => volume.Text("name")).ShouldBe(["tmp", "authorities"]);
        pod.At("spec.volumes.1.configMap.name")!.ToString().ShouldBe("company-authorities");
        pod.Items("spec.containers.0.volumeMounts").Select(mount => $"{mount.Text("name")} {mount.Text("mountPath")} {mount.Text("readOnly")}".TrimEnd())
            .ShouldBe(["tmp /tmp", "authorities /etc/ssl/certs true", "tmp /var/tmp"]);
        Variable(pod.At("spec")!, "SSL_CERT_DIR")!.Text("value").ShouldBe("/etc/ssl/certs");
        pod.Text("spec.containers.0.envFrom.0.configMapRef.name").ShouldBe("further");
        manifests["Deployment", program == "worker" ? "maintenance-worker" : Name].Items("spec.template.spec.containers.0.volumeMounts")
            .Count(mount => mount.Text("name") == "settings").ShouldBe(2, "the Deployment has both");

        // The other program's migration has nothing of it.
        var other = manifests.Of("Job").Single(item => item.Text("metadata.name") != job).At("spec.template")!;
        other.Items("spec.volumes").ShouldHaveSingleItem().Text("name").ShouldBe("tmp");
        other.Strings("metadata.labels").Keys.ShouldNotContain("example.org/mesh");
    }

    [Fact]
    public async Task Migrations_ReachOnlyNamesAndTheDatabase_FromBeforeTheyRun()
    {
        var policy = (await CiAsync("tls"))["NetworkPolicy", "maintenance-migrate"];
        policy.Items("spec.egress").SelectMany(rule => rule.Items("ports")).Select(port => port.Text("port")).ShouldBe(["53", "53", "5353", "5353", "5432"]);
        policy.At("spec.ingress")!.AsArray().ShouldBeEmpty();
        policy.At("metadata.annotations")!["helm.sh/hook"]!.ToString().ShouldBe("pre-install,pre-upgrade");
        int.Parse(policy.At("metadata.annotations")!["helm.sh/hook-weight"]!.ToString()).ShouldBeLessThan(0);
    }

    [Fact]
    public async Task NetworkPolicy_KeepsManagementForThePeersNamed()
    {
        var policy = (await CiAsync("monitoring"))["NetworkPolicy", Name];
        policy.Items("spec.ingress").Single(rule => rule.Text("ports.0.port") == "http")["from"].ShouldBeNull();
        var management = policy.Items("spec.ingress").Single(rule => rule.Text("ports.0.port") == "management");
        management.Items("from").Count().ShouldBe(2);
        management.At("from.1.namespaceSelector")!.ToJsonString().ShouldContain("monitoring");
        policy.Items("spec.egress").SelectMany(rule => rule.Items("ports")).Select(port => port.Text("port")).ShouldContain("5432");
    }
}
