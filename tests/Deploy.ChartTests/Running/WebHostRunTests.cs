using System.Net;
using System.Net.Http.Json;
using Maintenance.Deploy.ChartTests.Images;
using Maintenance.Deploy.ChartTests.Rendering;
using Npgsql;

namespace Maintenance.Deploy.ChartTests.Running;

/// <summary>The web host and its migration, run exactly as the rendered manifests say.</summary>
public sealed class WebHostRunTests(RunOutput output) : IClassFixture<RunOutput>, IClassFixture<PublishedPrograms>
{
    private const string Name = "maintenance-web-host";
    private const string RedisPassword = "one, two";
    private const string DatabasePassword = "a;b 'c' \"d\" = \\e $(f)";

    private static readonly IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Secrets =
        new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal)
        {
            ["redis"] = new Dictionary<string, string>(StringComparer.Ordinal) { ["password"] = RedisPassword },
            ["postgresql"] = new Dictionary<string, string>(StringComparer.Ordinal) { ["password"] = DatabasePassword },
        };

    [Fact]
    public async Task Migration_ThenDeployment_ServesUsers_AndEndsWithinItsGrace()
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions { Password = RedisPassword });
        var manifests = await RenderAsync(redis.Port);

        await using (var migration = RunningPod.Start(manifests, "Job", "maintenance-migrate", Secrets, "webhost"))
        {
            (await migration.Process.WaitForExitAsync(TimeSpan.FromSeconds(120))).ShouldBe(0, migration.Process.Tail());
        }

        await using (var again = RunningPod.Start(manifests, "Job", "maintenance-migrate", Secrets, "webhost"))
        {
            (await again.Process.WaitForExitAsync(TimeSpan.FromSeconds(120))).ShouldBe(0, again.Process.Tail());
        }

        await using (var archive = RunningPod.Start(manifests, "Job", "maintenance-migrate-archive", Secrets, "worker"))
        {
            (await archive.Process.WaitForExitAsync(TimeSpan.FromSeconds(120))).ShouldBe(0, archive.Process.Tail());
        }

        await using var pod = RunningPod.Start(manifests, "Deployment", Name, Secrets, "webhost");
        await pod.SucceedsAsync("startupProbe");
        await pod.SucceedsAsync("livenessProbe");
        await pod.SucceedsAsync("readinessProbe", TimeSpan.FromSeconds(60));
        (await pod.GetAsync("management", "/metrics")).ShouldContain("authstore_");
        (await pod.GetAsync("http", "/openapi/v1.json")).ShouldContain("/api/auth/register");

        using var client = new HttpClient();
        var registration = new { email = "ada@example.org", password = "correct horse battery staple 42", name = "Ada" };
        (await client.PostAsJsonAsync(pod.Address("http", "/api/auth/register"), registration)).StatusCode.ShouldBe(HttpStatusCode.Created, pod.Process.Tail());
        var login = new { registration.email, registration.password, device = "test" };
        (await client.PostAsJsonAsync(pod.Address("http", "/api/auth/login"), login)).StatusCode.ShouldBe(HttpStatusCode.OK, pod.Process.Tail());

        await using (var prune = RunningPod.Start(manifests, "CronJob", "maintenance-audit-prune", Secrets, "webhost"))
        {
            (await prune.Process.WaitForExitAsync(TimeSpan.FromSeconds(120))).ShouldBe(0, prune.Process.Tail());
            prune.Process.Tail().ShouldContain("0 rows of before");
        }

        // The API's port shows nothing of management, which no Ingress reaches.
        (await client.GetAsync(pod.Address("http", "/metrics"))).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        var (exit, took) = await pod.TerminateAsync();
        exit.ShouldBe(0, pod.Process.Tail());
        output.Write($"web host: SIGTERM to exit {took.TotalSeconds:0.00} s of {pod.Grace.TotalSeconds:0} s");
    }

    [Fact]
    public async Task Deployment_IsAliveAndNotReady_BeforeRedisIsThere()
    {
        var manifests = await RenderAsync(FreePort.Next());
        await using var pod = RunningPod.Start(manifests, "Deployment", Name, Secrets, "webhost");
        await pod.SucceedsAsync("startupProbe");
        await pod.BecomesAsync("readinessProbe", HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(60));
        await pod.SucceedsAsync("livenessProbe");
    }

    private static async Task<Manifests> RenderAsync(int redisPort)
    {
        var server = await PostgresServer.SharedAsync();
        var database = await server.CreateDatabaseAsync();
        var user = $"user_of_{database.Name}";
        await server.ExecuteAsync($"CREATE ROLE {user} LOGIN PASSWORD '{DatabasePassword.Replace("'", "''", StringComparison.Ordinal)}'");
        await server.ExecuteAsync($"ALTER DATABASE {database.Name} OWNER TO {user}");
        var address = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        return await Chart.RenderAsync($$$$"""
            redis: {host: 127.0.0.1, port: {{{{redisPort}}}}, existingSecret: redis}
            postgresql: {host: {{{{address.Host}}}}, port: {{{{address.Port}}}}, database: {{{{database.Name}}}}, user: {{{{user}}}}, existingSecret: postgresql, archive: true}
            worker: {enabled: false}
            webHost: {auditPrune: {enabled: true}, containerPorts: {http: {{{{FreePort.Next()}}}}, management: {{{{FreePort.Next()}}}} }, settings: {Mail: {Folder: /data/mail}, Storage: {Redis: {Deadline: "00:00:10", ConnectTimeout: "00:00:30"} }, Passwords: {HashQueueTimeout: "00:01:00"}, Database: {ConnectTimeout: "00:00:30", CommandTimeout: "00:00:30"} } }

            """);
    }
}
