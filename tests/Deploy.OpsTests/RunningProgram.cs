using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Maintenance.Testing;

namespace Maintenance.Deploy.OpsTests;

/// <summary>Our built programs as processes on a real Redis.</summary>
internal sealed class RunningProgram : IAsyncDisposable
{
    /// <summary>The variable of <c>Storage:Redis:KeyPrefix</c>.</summary>
    public const string KeyPrefix = "Storage__Redis__KeyPrefix";

    // A busy machine connects and answers slowly.
    private const string Deadline = "Storage__Redis__Deadline";
    private const string ConnectTimeout = "Storage__Redis__ConnectTimeout";

    // Else a probe of a machine that stands still has failed, or found something unavailable.
    private static readonly Dictionary<string, string?> PatientCalls = new(StringComparer.Ordinal)
    {
        ["Jobs__RedisHealth__CallDeadline"] = "00:00:15",
        ["Jobs__RedisHealth__ConnectTimeout"] = "00:00:15",
        ["Jobs__RedisHealth__Deadline"] = "00:00:40",
        ["Jobs__MemoryAlerts__CallDeadline"] = "00:00:15",
    };

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private RunningProgram(string project, IReadOnlyDictionary<string, string?> settings)
    {
        ManagementPort = FreePort.Next();
        ApiPort = FreePort.Next();
        var environment = new Dictionary<string, string?>(settings, StringComparer.Ordinal)
        {
            ["Management__Address"] = "127.0.0.1",
            ["Management__Port"] = $"{ManagementPort}",
            ["DOTNET_RUNNING_IN_CONTAINER"] = null,
        };
        if (project == "WebHost")
        {
            environment["Api__Address"] = "127.0.0.1";
            environment["Api__Port"] = $"{ApiPort}";
            environment["Database__Provider"] = "Memory";
            environment["Mail__Folder"] = Path.GetTempPath();
            // Else a hashing thread that is held up is a host that is full.
            environment["Passwords__HashQueueTimeout"] = "00:01:00";
        }

        Process = ChildProcess.StartOurs(project, [], environment);
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{ApiPort}"), Timeout = TimeSpan.FromSeconds(60) };
    }

    public int ManagementPort { get; }

    public int ApiPort { get; }

    public ChildProcess Process { get; }

    /// <summary>The API of a web host.</summary>
    public HttpClient Http { get; }

    /// <summary>A worker that runs every job each few seconds.</summary>
    public static Task<RunningProgram> WorkerAsync(string redisUrl, params (string Name, string Value)[] settings) => StartAsync(
        "Worker",
        redisUrl,
        [
            .. from job in (string[])["SessionCleanup", "IndexReconciliation", "RedisHealth", "MemoryAlerts", "KeyspaceStats"]
               from setting in ((string, string)[])[($"Jobs__{job}__Schedule", "00:00:02"), ($"Jobs__{job}__Jitter", "00:00:01")]
               select setting,
            .. PatientCalls.Select(call => (call.Key, call.Value!)),
            .. settings,
        ]);

    public static Task<RunningProgram> WebHostAsync(string redisUrl, params (string Name, string Value)[] settings) =>
        StartAsync("WebHost", redisUrl, settings);

    /// <summary>Runs a verb of the worker to its end.</summary>
    public static async Task<(int Exit, string Output)> VerbAsync(string redisUrl, params string[] arguments)
    {
        var environment = new Dictionary<string, string?>(PatientCalls, StringComparer.Ordinal) { ["REDIS_URL"] = redisUrl, [Deadline] = "00:00:20", [ConnectTimeout] = "00:00:20" };
        await using var verb = ChildProcess.StartOurs("Worker", arguments, environment);
        var exit = await verb.WaitForExitAsync(Patience);
        return (exit, string.Join('\n', verb.Output.Concat(verb.Errors)));
    }

    /// <summary>A user's way through the web host: register, log in, verify, refresh, log out everywhere, and a wrong password.</summary>
    public async Task JourneyAsync()
    {
        var email = $"{Guid.NewGuid():N}@example.org";
        const string password = "correct horse battery staple 7";
        (await PostAsync("register", new { email, password, name = "Ops" })).Status.ShouldBe(201);
        (await PostAsync("login", new { email, password = "wrong horse battery staple 7", device = "test" })).Status.ShouldBe(401);
        var (status, signedIn) = await PostAsync("login", new { email, password, device = "test" });
        status.ShouldBe(200, signedIn.ToString());
        var session = signedIn.GetProperty("sessionToken").GetString()!;
        (await VerifyAsync(session)).ShouldBe(200);
        var (refreshed, again) = await PostAsync("refresh", new { refreshToken = signedIn.GetProperty("refreshToken").GetString() });
        refreshed.ShouldBe(200, again.ToString());
        session = again.GetProperty("sessionToken").GetString()!;
        (await VerifyAsync(session)).ShouldBe(200);
        (await PostAsync("logout-all", new { }, session)).Status.ShouldBe(200);
        (await VerifyAsync(session)).ShouldBe(401);
    }

    /// <summary>Asks about a token that nobody has.</summary>
    public async Task DeniedVerificationAsync() => (await VerifyAsync("no-token")).ShouldBeInRange(400, 499);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Process.DisposeAsync();
    }

    private static async Task<RunningProgram> StartAsync(string project, string redisUrl, IEnumerable<(string Name, string Value)> settings)
    {
        var all = new Dictionary<string, string?>(StringComparer.Ordinal) { ["REDIS_URL"] = redisUrl, [Deadline] = "00:00:20", [ConnectTimeout] = "00:00:20" };
        foreach (var (name, value) in settings)
        {
            all[name] = value;
        }

        var program = new RunningProgram(project, all);
        try
        {
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
            await Eventually.TrueAsync(
                async () => program.Process.HasExited || (await http.GetAsync(new Uri($"http://127.0.0.1:{program.ManagementPort}/healthz/startup"))).IsSuccessStatusCode,
                Patience);
            program.Process.HasExited.ShouldBeFalse(program.Process.Tail());
            return program;
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    private async Task<(int Status, JsonElement Body)> PostAsync(string path, object body, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/auth/{path}", UriKind.Relative)) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.StartsWith('{') ? JsonDocument.Parse(text).RootElement : default);
    }

    private async Task<int> VerifyAsync(string session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/api/auth/verify", UriKind.Relative));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", session);
        using var response = await Http.SendAsync(request);
        return (int)response.StatusCode;
    }
}
