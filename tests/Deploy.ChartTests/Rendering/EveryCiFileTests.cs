using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>What holds of every object, whatever the values.</summary>
public sealed partial class EveryCiFileTests
{
    public static TheoryData<string> CiFiles { get; } = [.. ChartFolder.CiFiles().Select(path => Path.GetFileName(path))];

    private static Task<Manifests> RenderAsync(string file) => Chart.RenderAsync(ChartFolder.In("ci", file));

    [Fact]
    public void CiFiles_AreAllThere() => ChartFolder.CiFiles().Select(path => Path.GetFileName(path)).ShouldBe(
        ["cluster-values.yaml", "cron-values.yaml", "default-values.yaml", "everything-values.yaml", "existing-secret-values.yaml", "monitoring-values.yaml", "tls-values.yaml"]);

    [Theory]
    [MemberData(nameof(CiFiles))]
    public async Task Objects_AreWhatKubernetesExpects(string file)
    {
        var manifests = await RenderAsync(file);
        manifests.All.Count.ShouldBeGreaterThan(5);
        manifests.All.Select(Manifests.Title).ShouldBeUnique();
        foreach (var item in manifests.All)
        {
            KubernetesSchema.Check(item);
        }
    }

    [Fact]
    public async Task Objects_AreRefused_WhenAFieldIsMisspelt()
    {
        var deployment = (await RenderAsync("default-values.yaml"))["Deployment", "maintenance-worker"];
        deployment.At("spec.template.spec.containers.0.securityContext")!["readOnlyRoot"] = true;
        Should.Throw<JsonException>(() => KubernetesSchema.Check(deployment)).Message.ShouldContain("readOnlyRoot");
    }

    [Theory]
    [MemberData(nameof(CiFiles))]
    public async Task Objects_HaveTheLabelsByConvention_AndValidNames(string file)
    {
        foreach (var item in (await RenderAsync(file)).All)
        {
            var title = Manifests.Title(item);
            item.Text("metadata.namespace").ShouldBe("default", title);
            ObjectName().IsMatch(item.Text("metadata.name")!).ShouldBeTrue(title);
            var labels = item.Strings("metadata.labels");
            labels["app.kubernetes.io/name"].ShouldBe("maintenance", title);
            labels["app.kubernetes.io/instance"].ShouldBe("maintenance", title);
            labels["app.kubernetes.io/version"].ShouldBe("0.1.0", title);
            labels["app.kubernetes.io/managed-by"].ShouldBe("Helm", title);
            labels["app.kubernetes.io/part-of"].ShouldBe("maintenance", title);
            labels["helm.sh/chart"].ShouldBe("maintenance-0.1.0", title);
            labels.Keys.ShouldContain("app.kubernetes.io/component", title);
            labels.Values.ShouldAllBe(value => value.Length <= 63, title);
        }
    }

    [Theory]
    [MemberData(nameof(CiFiles))]
    public async Task Pods_AreRestricted(string file)
    {
        var pods = (await RenderAsync(file)).Pods().ToList();
        pods.ShouldNotBeEmpty();
        foreach (var (title, _, spec) in pods)
        {
            spec.Text("enableServiceLinks").ShouldBe("false", title);
            spec.Text("automountServiceAccountToken").ShouldBe("false", title);
            spec.Text("securityContext.runAsNonRoot").ShouldBe("true", title);
            spec.Text("securityContext.seccompProfile.type").ShouldBe("RuntimeDefault", title);
            int.Parse(spec.Text("securityContext.runAsUser")!).ShouldBeGreaterThan(0, title);
            string?[] host = [spec.Text("hostNetwork"), spec.Text("hostPID"), spec.Text("hostIPC")];
            host.ShouldAllBe(value => value == null, title);
            spec.Items("volumes").ShouldAllBe(volume => volume["hostPath"] == null, title);
            foreach (var container in spec.Items("containers"))
            {
                container.Text("securityContext.readOnlyRootFilesystem").ShouldBe("true", title);
                container.Text("securityContext.allowPrivilegeEscalation").ShouldBe("false", title);
                container.Text("securityContext.privileged").ShouldBe("false", title);
                container.At("securityContext.capabilities")!.ToJsonString().ShouldBe("""{"drop":["ALL"]}""", title);
                container.Text("image")!.EndsWith(":latest", StringComparison.Ordinal).ShouldBeFalse(title);
                container.At("resources.requests.memory").ShouldNotBeNull(title);
                container.At("resources.limits.memory").ShouldNotBeNull(title);
            }
        }
    }

    [Theory]
    [MemberData(nameof(CiFiles))]
    public async Task Pods_MountOnlyWhatThereIs(string file)
    {
        var manifests = await RenderAsync(file);
        foreach (var (title, _, spec) in manifests.Pods())
        {
            var volumes = spec.Items("volumes").ToDictionary(volume => volume.Text("name")!, StringComparer.Ordinal);
            var mounts = spec.Items("containers").SelectMany(container => container.Items("volumeMounts")).ToList();
            mounts.Select(mount => mount.Text("name")!).Order(StringComparer.Ordinal).ShouldBe(volumes.Keys.Order(StringComparer.Ordinal), title);
            foreach (var mount in mounts)
            {
                if (volumes[mount.Text("name")!].Text("configMap.name") is { } name)
                {
                    manifests["ConfigMap", name]["data"]!.AsObject().ContainsKey(mount.Text("subPath")!).ShouldBeTrue(title);
                }
            }

            // Before an install nothing of the release is there yet; no account either.
            if (spec.Text("serviceAccountName") is { } account)
            {
                manifests["ServiceAccount", account].Text("automountServiceAccountToken").ShouldBe("false");
            }
        }
    }

    [Theory]
    [MemberData(nameof(CiFiles))]
    public async Task Selectors_FindTheirPods_AndPortsTheirContainers(string file)
    {
        var manifests = await RenderAsync(file);
        var pods = manifests.Pods().Select(pod => (Labels: pod.Metadata.Strings("labels"), pod.Spec)).ToList();
        List<JsonNode> Selected(IReadOnlyDictionary<string, string> selector, string title)
        {
            selector.ShouldNotBeEmpty(title);
            var found = pods.Where(pod => selector.All(label => pod.Labels.GetValueOrDefault(label.Key) == label.Value)).Select(pod => pod.Spec).ToList();
            found.ShouldNotBeEmpty(title);
            return found;
        }

        foreach (var deployment in manifests.Of("Deployment"))
        {
            Selected(deployment.Strings("spec.selector.matchLabels"), Manifests.Title(deployment)).ShouldHaveSingleItem();
        }

        foreach (var budget in manifests.Of("PodDisruptionBudget"))
        {
            Selected(budget.Strings("spec.selector.matchLabels"), Manifests.Title(budget)).ShouldHaveSingleItem();
        }

        foreach (var service in manifests.Of("Service"))
        {
            var spec = Selected(service.Strings("spec.selector"), Manifests.Title(service)).ShouldHaveSingleItem();
            var ports = spec.Items("containers.0.ports").Select(port => port.Text("name")).ToList();
            service.Items("spec.ports").ShouldAllBe(port => ports.Contains(port.Text("targetPort")));
        }

        var guarded = new List<JsonNode>();
        foreach (var policy in manifests.Of("NetworkPolicy"))
        {
            var labels = policy.Strings("spec.podSelector.matchLabels");
            var held = pods.Where(pod => labels.All(label => pod.Labels.GetValueOrDefault(label.Key) == label.Value)
                && policy.Items("spec.podSelector.matchExpressions").All(rule =>
                    rule.Text("operator") == "In" && rule.Items("values").Any(value => value.ToString() == pod.Labels.GetValueOrDefault(rule.Text("key")!)))).ToList();
            held.ShouldNotBeEmpty(Manifests.Title(policy));
            guarded.AddRange(held.Select(pod => pod.Spec));
            policy.At("spec.policyTypes")!.ToJsonString().ShouldBe("""["Ingress","Egress"]""");
        }

        if (manifests.Of("NetworkPolicy").Any())
        {
            manifests.Pods().Where(pod => !guarded.Contains(pod.Spec)).Select(pod => pod.Title).ShouldBeEmpty("a pod that no policy holds");
        }
    }

    [Theory]
    [MemberData(nameof(CiFiles))]
    public async Task Secrets_ComeOnlyByReference(string file)
    {
        var manifests = await RenderAsync(file);
        foreach (var (title, _, spec) in manifests.Pods())
        {
            var variables = spec.Items("containers").SelectMany(container => container.Items("env")).ToList();
            variables.Select(variable => variable.Text("name")).ShouldBeUnique();
            // The hook's connection string has no password in it: that is PGPASSWORD's.
            variables.Where(variable => variable.Text("name") == "Database__ConnectionString" && variable["value"] is not null)
                .ShouldAllBe(variable => !variable.Text("value")!.Contains("assword", StringComparison.OrdinalIgnoreCase));
            variables.Where(variable => SecretName().IsMatch(variable.Text("name")!) && variable.Text("name") != "Database__ConnectionString")
                .ShouldAllBe(variable => variable.At("valueFrom.secretKeyRef.name") != null && variable["value"] == null, title);
        }

        foreach (var map in manifests.Of("ConfigMap").Where(map => map.At("data")!.AsObject().ContainsKey("appsettings.Production.json")))
        {
            map["data"]!["appsettings.Production.json"]!.ToString().ShouldNotContain("assword", Case.Insensitive);
        }

        // Only the trial Redis has one; its password is made, not given.
        manifests.Of("Secret").Select(secret => secret.Text("metadata.name")).ShouldBe(file == "cron-values.yaml" ? ["maintenance-trial-redis"] : []);
    }

    [Theory]
    [MemberData(nameof(CiFiles))]
    public async Task Settings_AreThoseOfTheDocumentation(string file)
    {
        foreach (var (title, _, spec) in (await RenderAsync(file)).Pods().Where(pod => !pod.Title.EndsWith("-trial-redis", StringComparison.Ordinal)))
        {
            // The runtime's and Npgsql's own.
            var names = spec.Items("containers.0.env").Select(variable => variable.Text("name")!)
                .Except(["DOTNET_EnableDiagnostics", "HOME", "PGPASSWORD"], StringComparer.Ordinal);
            var isWorker = spec.Text("containers.0.image")!.Contains("worker", StringComparison.Ordinal);
            foreach (var name in names)
            {
                KnownSettings.Has(name.Replace("__", ":", StringComparison.Ordinal), isWorker).ShouldBeTrue($"{title}: {name}");
            }
        }

        foreach (var map in (await RenderAsync(file)).Of("ConfigMap").Where(map => map.At("data")!.AsObject().ContainsKey("appsettings.Production.json")))
        {
            var isWorker = map.Text("metadata.name")!.EndsWith("-worker", StringComparison.Ordinal);
            var keys = KnownSettings.KeysOf(JsonNode.Parse(map["data"]!["appsettings.Production.json"]!.ToString())!).ToList();
            keys.ShouldNotBeEmpty();
            keys.ShouldAllBe(key => KnownSettings.Has(key, isWorker), Manifests.Title(map));
        }
    }

    [Fact]
    public void Settings_ThatAreMisspelt_AreNotKnown()
    {
        KnownSettings.Has("Storage:Redis:Password", isWorker: true).ShouldBeTrue();
        KnownSettings.Has("Storage:Redis:Pasword", isWorker: true).ShouldBeFalse();
        KnownSettings.Has("Jobs:SessionCleanup:Enabled", isWorker: true).ShouldBeTrue();
        KnownSettings.Has("Jobs:SessionCleanup:Enabled", isWorker: false).ShouldBeFalse();
    }

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    private static partial Regex ObjectName();

    [GeneratedRegex("(?i)password|token|secret|url|auth$")]
    private static partial Regex SecretName();
}
