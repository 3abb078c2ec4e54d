using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Maintenance.Deploy.ChartTests.Images;
using Maintenance.Deploy.ChartTests.Rendering;

namespace Maintenance.Deploy.ChartTests.Running;

/// <summary>
/// <c>ci/tls-values.yaml</c> on real servers: a Redis that speaks TLS only, asks for a client certificate and knows the programs as the users of
/// deploy/redis/users.acl, and a PostgreSQL whose certificate is checked with its name.
/// </summary>
public sealed class TlsRunTests : IClassFixture<PublishedPrograms>, IDisposable
{
    private const string DatabasePassword = "of a test";

    private readonly TemporaryFolder _folder = new();
    private readonly Certificates _certificates;
    private readonly (string Certificate, string Key) _client;
    private readonly int _redisPort = FreePort.Next();

    public TlsRunTests()
    {
        _certificates = new Certificates(_folder);
        _client = _certificates.Issue("client");
    }

    private Dictionary<string, IReadOnlyDictionary<string, string>> Secrets => new(StringComparer.Ordinal)
    {
        ["redis"] = new Dictionary<string, string>(StringComparer.Ordinal) { ["worker-password"] = "w-password", ["webhost-password"] = "h-password" },
        ["redis-tls"] = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ca.crt"] = File.ReadAllText(_certificates.AuthorityFile),
            ["tls.crt"] = File.ReadAllText(_client.Certificate),
            ["tls.key"] = File.ReadAllText(_client.Key),
        },
        ["postgresql"] = new Dictionary<string, string>(StringComparer.Ordinal) { ["password"] = DatabasePassword },
        ["postgresql-tls"] = new Dictionary<string, string>(StringComparer.Ordinal) { ["ca.crt"] = File.ReadAllText(_certificates.AuthorityFile) },
    };

    [Fact]
    public async Task TlsValues_RunBothPrograms_OverTlsOnly_AsTheUsersOfTheUserFile()
    {
        await using var redis = await StartRedisAsync();
        await using var postgres = await PostgresServer.StartAsync();
        var (database, user) = await PrepareAsync(postgres);
        var manifests = await Chart.RenderAsync([ChartFolder.In("ci", "tls-values.yaml"), $$$$"""
            redis: {host: 127.0.0.1, port: {{{{_redisPort}}}}}
            postgresql: {host: 127.0.0.1, port: {{{{postgres.Port}}}}, database: {{{{database}}}}, user: {{{{user}}}}}
            worker: {containerPort: {{{{FreePort.Next()}}}}, settings: {Jobs: {RedisHealth: {Schedule: "00:00:01", Jitter: "00:00:00"} } } }
            webHost: {containerPorts: {http: {{{{FreePort.Next()}}}}, management: {{{{FreePort.Next()}}}} }, settings: {Storage: {Redis: {Deadline: "00:00:10", ConnectTimeout: "00:00:30"} }, Passwords: {HashQueueTimeout: "00:01:00"}, Database: {ConnectTimeout: "00:00:30", CommandTimeout: "00:00:30"} } }
            """]);

        await using (var migration = RunningPod.Start(manifests, "Job", "maintenance-migrate", Secrets, "webhost"))
        {
            (await migration.Process.WaitForExitAsync(TimeSpan.FromSeconds(120))).ShouldBe(0, migration.Process.Tail());
        }

        await using var worker = RunningPod.Start(manifests, "Deployment", "maintenance-worker", Secrets, "worker");
        await using var host = RunningPod.Start(manifests, "Deployment", "maintenance-web-host", Secrets, "webhost");
        await worker.SucceedsAsync("startupProbe");
        await worker.SucceedsAsync("readinessProbe", TimeSpan.FromSeconds(60));
        await host.SucceedsAsync("startupProbe");
        await host.SucceedsAsync("readinessProbe", TimeSpan.FromSeconds(60));
        await SignInAndOutAsync(host);
        await Eventually.TrueAsync(
            async () => (await worker.GetAsync("management", "/metrics")).Contains("maintenance_redis_up{node=\"127.0.0.1:" + _redisPort + "\"} 1", StringComparison.Ordinal),
            TimeSpan.FromSeconds(60),
            "the worker's probe ran");

        var connected = await AskAsync("CLIENT", "LIST");
        foreach (var program in (string[])["worker", "webhost"])
        {
            connected.ShouldContain($" user={program} ", Case.Sensitive, "its own user");
        }

        (await AskAsync("ACL", "LOG")).Trim().ShouldBeEmpty("what the users were refused");
        (await CountAsync(postgres, $"SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = '{user}' AND ssl")).ShouldBeGreaterThan(0);
        (await CountAsync(postgres, $"SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = '{user}' AND NOT ssl")).ShouldBe(0);
        (await worker.TerminateAsync()).ExitCode.ShouldBe(0, worker.Process.Tail());
        (await host.TerminateAsync()).ExitCode.ShouldBe(0, host.Process.Tail());
    }

    public void Dispose()
    {
        _certificates.Dispose();
        _folder.Dispose();
    }

    private static Task<long> CountAsync(PostgresServer postgres, string sql) => new PostgresDatabase("postgres", postgres.ConnectionString).ScalarAsync<long>(sql);

    private static async Task SignInAndOutAsync(RunningPod host)
    {
        using var client = new HttpClient();
        var registration = new { email = "ada@example.org", password = "correct horse battery staple 42", name = "Ada" };
        (await client.PostAsJsonAsync(host.Address("http", "/api/auth/register"), registration)).StatusCode.ShouldBe(HttpStatusCode.Created, host.Process.Tail());
        var login = await client.PostAsJsonAsync(host.Address("http", "/api/auth/login"), new { registration.email, registration.password, device = "test" });
        login.StatusCode.ShouldBe(HttpStatusCode.OK, host.Process.Tail());
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", JsonNode.Parse(await login.Content.ReadAsStringAsync())!.Text("sessionToken"));
        (await client.GetAsync(host.Address("http", "/api/auth/verify"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.PostAsJsonAsync(host.Address("http", "/api/auth/logout-all"), new { })).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.GetAsync(host.Address("http", "/api/auth/verify"))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    // As deploy/redis starts it, with TLS instead of plain text.
    private async Task<ChildProcess> StartRedisAsync()
    {
        var (certificate, key) = _certificates.Issue("redis.example.org");
        var data = Directory.CreateDirectory(_folder.In("redis")).FullName;
        var redis = ChildProcess.Start(
            Path.Combine(BuiltProgram.RepositoryRoot, "deploy", "redis", "start.sh"),
            [
                "--port", "0", "--tls-port", $"{_redisPort}", "--bind", "127.0.0.1", "--tls-cert-file", certificate, "--tls-key-file", key,
                "--tls-ca-cert-file", _certificates.AuthorityFile, "--tls-auth-clients", "yes",
            ],
            new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["REDIS_ADMIN_PASSWORD"] = "a-password",
                ["REDIS_WORKER_PASSWORD"] = "w-password",
                ["REDIS_WEBHOST_PASSWORD"] = "h-password",
                ["REDIS_DATA"] = data,
                ["REDIS_RUN"] = data,
            });
        await redis.WaitForLineAsync(line => line.Contains("Ready to accept connections", StringComparison.Ordinal));
        return redis;
    }

    private async Task<string> AskAsync(params string[] command)
    {
        await using var cli = ChildProcess.Start(
            "redis-cli",
            [
                "--tls", "--cacert", _certificates.AuthorityFile, "--cert", _client.Certificate, "--key", _client.Key, "--sni", "redis.example.org",
                "-p", $"{_redisPort}", "--user", "admin", .. command,
            ],
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["REDISCLI_AUTH"] = "a-password" });
        (await cli.WaitForExitAsync()).ShouldBe(0, cli.Tail());
        return string.Join('\n', cli.Output);
    }

    /// <summary>Switches TLS on, and makes a database and its owner.</summary>
    private async Task<(string Database, string User)> PrepareAsync(PostgresServer postgres)
    {
        var (certificate, key) = _certificates.Issue("postgresql", withLoopback: true);
        foreach (var (from, to) in ((string, string)[])[(certificate, "server.crt"), (key, "server.key")])
        {
            // PostgreSQL takes only a key that is its own and nobody else's.
            await using var install = ChildProcess.Start(
                "install", ["-m", "600", .. Environment.IsPrivilegedProcess ? ["-o", "postgres"] : Array.Empty<string>(), from, Path.Combine(postgres.Folder, "data", to)]);
            (await install.WaitForExitAsync()).ShouldBe(0, install.Tail());
        }

        await postgres.ExecuteAsync("ALTER SYSTEM SET ssl = on");
        await postgres.ExecuteAsync("SELECT pg_reload_conf()");
        await Eventually.TrueAsync(async () => await CountAsync(postgres, "SELECT count(*) FROM pg_settings WHERE name = 'ssl' AND setting = 'on'") == 1, TimeSpan.FromSeconds(30));
        var database = await postgres.CreateDatabaseAsync();
        await postgres.ExecuteAsync($"CREATE ROLE auth LOGIN PASSWORD '{DatabasePassword}'");
        await postgres.ExecuteAsync($"ALTER DATABASE {database.Name} OWNER TO auth");
        return (database.Name, "auth");
    }
}
