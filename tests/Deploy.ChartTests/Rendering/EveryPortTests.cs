using System.Text.Json.Nodes;

namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>Ports, routes, network policies, settings and secrets, as the values say.</summary>
public sealed class EveryPortTests
{
    [Fact]
    public async Task Ports_Services_AndRoutes_AreThoseOfTheValues()
    {
        var manifests = await Everything.RenderAsync();
        Ports(manifests["Deployment", Everything.Worker]).ShouldBe(["management:9081"]);
        Ports(manifests["Deployment", Everything.WebHost]).ShouldBe(["http:9080", "management:9082"]);
        manifests.Settings(Everything.Worker).Text("Management.Port").ShouldBe("9081");
        manifests.Settings(Everything.WebHost).Text("Management.Port").ShouldBe("9082");
        manifests.Settings(Everything.WebHost).Text("Api.Port").ShouldBe("9080");
        Service(Everything.Worker).ShouldBe(("NodePort", "9181", "worker"));
        Service(Everything.WebHost).ShouldBe(("LoadBalancer", "8888", "web-host"));
        manifests["Service", $"{Everything.WebHost}-management"].Text("spec.ports.0.port").ShouldBe("9082");
        manifests["Ingress", Everything.Worker].Strings("metadata.annotations")["example.org/ingress"].ShouldBe("worker");
        var route = manifests["HTTPRoute", Everything.WebHost];
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
        var manifests = await Everything.RenderAsync();
        const string connection = "Host=postgresql;Port=5433;Database=auth;Username=auth;SSL Mode=VerifyFull;Root Certificate=/etc/maintenance/postgresql-tls/postgresql-authorities.pem";
        manifests.Settings(Everything.WebHost).Text("Database.ConnectionString").ShouldBe(connection);
        foreach (var name in new[] { Everything.Worker, Everything.WebHost })
        {
            var settings = manifests.Settings(name);
            settings.Text("Logging.Console.FormatterName").ShouldBe("simple");
            settings.Text("Storage.Redis.Tls.CaFile").ShouldBe("/etc/maintenance/redis-tls/redis-authorities.pem");
            settings.Text("Archive.ConnectionString").ShouldBe(connection);
            Key(name, "PGPASSWORD").ShouldBe("postgresql-password");
        }

        Key(Everything.Worker, "Management__Token").ShouldBe("worker-token-key");
        Key(Everything.WebHost, "Mail__Password").ShouldBe("smtp-password");
        manifests["Deployment", Everything.WebHost].Items("spec.template.spec.volumes").Single(volume => volume.Text("name") == "data").Text("emptyDir.sizeLimit").ShouldBe("3Gi");

        string? Key(string name, string variable) => manifests["Deployment", name].Items("spec.template.spec.containers.0.env")
            .Single(item => item.Text("name") == variable).Text("valueFrom.secretKeyRef.key");
    }

    [Fact]
    public async Task NetworkPolicies_AreWhatTheValuesSay()
    {
        var manifests = await Everything.RenderAsync();
        foreach (var name in new[] { Everything.Worker, Everything.WebHost, "auth-state-test", "auth-state-migrate" })
        {
            var egress = manifests["NetworkPolicy", name].Items("spec.egress").ToList();
            egress.Where(rule => rule.Text("ports.0.port") == "5433").ShouldHaveSingleItem(name).Text("to.0.ipBlock.cidr").ShouldBe("10.9.0.0/16");
            egress.Select(rule => rule.Text("ports.0.port")).ShouldContain("4317", name);
            egress.SelectMany(rule => rule.Items("ports")).Select(port => port.Text("port")).Contains("4430").ShouldBe(name != "auth-state-migrate", name);
            egress.SelectMany(rule => rule.Items("ports")).Select(port => port.Text("port")).ShouldNotContain("443", name);
        }

        var ingress = manifests["NetworkPolicy", Everything.WebHost].Items("spec.ingress").ToList();
        ingress.Single(rule => rule.Text("ports.0.port") == "http").Items("from").Select(peer => peer.ToJsonString())
            .ShouldContain("""{"namespaceSelector":{"matchLabels":{"example.org/role":"gateway"}}}""");
        ingress.Single(rule => rule.Text("ports.0.port") == "management")["from"].ShouldBeNull();
    }
}
