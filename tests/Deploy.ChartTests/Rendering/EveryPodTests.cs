namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>Names, labels, places and volumes of pods and their accounts, as the values say.</summary>
public sealed class EveryPodTests
{
    [Fact]
    public async Task CommonLabelsAndAnnotations_AreOnEveryObject_AndOnPods()
    {
        var manifests = await Everything.RenderAsync();
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
        var manifests = await Everything.RenderAsync();
        var pods = manifests.Pods().ToList();
        pods.Count.ShouldBe(12, "two Deployments, two migrations, six CronJobs, two tests");
        foreach (var (title, metadata, spec) in pods)
        {
            // The pods of `helm test` go where the worker goes.
            var ours = title.Contains("web-host", StringComparison.Ordinal) || title is "Job/auth-state-migrate" or "CronJob/auth-state-audit-prune" ? "web-host" : "worker";
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
            spec.Items("volumes").Single(volume => volume.Text("name") == $"{ours}-extra").Text("secret.secretName").ShouldBe($"{ours}-extra", title);
            container.Items("volumeMounts").Single(mount => mount.Text("name") == $"{ours}-extra").Text("mountPath").ShouldBe($"/etc/{ours}-extra", title);
            if (title.StartsWith("Pod/", StringComparison.Ordinal))
            {
                continue;
            }

            metadata.Strings("labels")["example.org/pod-label"].ShouldBe(ours, title);
            metadata.Strings("annotations")["example.org/pod"].ShouldBe(ours, title);
            metadata.Strings("annotations")["example.org/contact"].ShouldBe("identity@example.org", title);
            if (title.StartsWith("Job/", StringComparison.Ordinal))
            {
                // Before the release's own objects are there: an account of its own, and no settings file.
                spec.Items("volumes").Select(volume => volume.Text("name")).ShouldBe(["tmp", "postgresql-tls", $"{ours}-extra"], title);
                continue;
            }

            spec.Text("serviceAccountName").ShouldBe($"auth-{ours}-account", title);
            spec.Text("terminationGracePeriodSeconds").ShouldBe(ours == "worker" ? "33" : "55", title);
        }
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
        var manifests = await Everything.RenderAsync("{worker: {serviceAccount: {create: false}}, webHost: {serviceAccount: {create: false}}}");
        manifests.Of("ServiceAccount").Select(item => item.Text("metadata.name")).ShouldBe(["auth-state-migrate", "auth-state-migrate-archive"], ignoreOrder: true);
        manifests["Deployment", Everything.Worker].Text("spec.template.spec.serviceAccountName").ShouldBe("auth-worker-account");
        manifests["Deployment", Everything.WebHost].Text("spec.template.spec.serviceAccountName").ShouldBe("auth-web-host-account");
        (await Chart.RenderAsync([Chart.LeastValues, "worker: {serviceAccount: {create: false}}"]))["Deployment", "maintenance-worker"]
            .Text("spec.template.spec.serviceAccountName").ShouldBe("default");
    }
}
