using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Maintenance.Testing;

namespace Maintenance.Worker.RedisTests;

/// <summary>The built worker as a process of its own, serving on a free port.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    public const string Token = "a-token-for-tests-only";

    // A frozen or busy machine must not fail a test of something else.
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(60);

    private readonly ChildProcess process;

    private WorkerProcess(string redisUrl, (string Name, string Value)[] settings)
    {
        var port = FreePort.Next();
        var environment = Settings(redisUrl);
        environment["Management__Port"] = $"{port}";
        environment["Management__Token"] = Token;
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        process = ChildProcess.StartOurs("Worker", [], environment);
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = RequestTimeout };
    }

    public HttpClient Http { get; }

    public ChildProcess Process => process;

    /// <summary>Starts it; returns when it answers.</summary>
    public static async Task<WorkerProcess> StartAsync(string redisUrl, params (string Name, string Value)[] settings)
    {
        var worker = new WorkerProcess(redisUrl, settings);
        try
        {
            await Eventually.TrueAsync(
                async () => worker.process.HasExited || await worker.StatusAsync("/healthz/startup") == 200, TimeSpan.FromSeconds(120));
            worker.process.HasExited.ShouldBeFalse(worker.process.Tail());
            return worker;
        }
        catch
        {
            await worker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a verb to its end.</summary>
    public static async Task<(int Exit, string Output, string Errors)> VerbAsync(
        string redisUrl, string[] arguments, params (string Name, string? Value)[] settings)
    {
        await using var verb = StartVerb(redisUrl, arguments, settings);
        var exit = await verb.WaitForExitAsync(TimeSpan.FromSeconds(120));
        return (exit, string.Join('\n', verb.Output), string.Join('\n', verb.Errors));
    }

    /// <summary>Starts a verb.</summary>
    public static ChildProcess StartVerb(string redisUrl, string[] arguments, params (string Name, string? Value)[] settings)
    {
        var environment = Settings(redisUrl);
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        return ChildProcess.StartOurs("Worker", arguments, environment);
    }

    public async Task<int> StatusAsync(string path)
    {
        using var response = await Http.GetAsync(path);
        return (int)response.StatusCode;
    }

    public async Task<JsonElement> JsonAsync(string path) => await Http.GetFromJsonAsync<JsonElement>(path);

    /// <summary>A request to what changes something, with a token unless null.</summary>
    public async Task<(int Status, JsonElement Body)> SendAsync(HttpMethod method, string path, string? token = Token)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        using var response = await Http.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    /// <summary>The due time that this replica works on now; null if it does not run the job.</summary>
    public async Task<DateTimeOffset?> RunningDueAsync(string job) =>
        (await JsonAsync($"/api/jobs/{job}")).TryGetProperty("running", out var running) && running.TryGetProperty("due", out var due)
            ? due.GetDateTimeOffset()
            : null;

    /// <summary>SIGTERM; returns how long it took to end.</summary>
    public async Task<TimeSpan> TerminateAsync()
    {
        var started = TimeProvider.System.GetTimestamp();
        await process.SignalAsync(Signal.Terminate);
        await process.WaitForExitAsync(TimeSpan.FromSeconds(60));
        return TimeProvider.System.GetElapsedTime(started);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await process.DisposeAsync();
    }

    private static Dictionary<string, string?> Settings(string redisUrl) => new(StringComparer.Ordinal)
    {
        ["REDIS_URL"] = redisUrl,
        ["REDIS_HOST"] = null,
        ["REDIS_ENABLED"] = null,
        ["DOTNET_RUNNING_IN_CONTAINER"] = null,
        // What a stall of a busy machine must not turn into an outage or an alert; tests of outages set their own.
        ["Storage__Redis__Deadline"] = "00:00:10",
        ["Storage__Redis__ConnectTimeout"] = "00:00:20",
        ["Jobs__RedisHealth__PingP99Degraded"] = "00:01:00",
        ["Jobs__RedisHealth__SlowCommandDegraded"] = "00:01:00",
        ["Jobs__RedisHealth__CallDeadline"] = "00:00:10",
        ["Jobs__RedisHealth__ConnectTimeout"] = "00:00:10",
        ["Jobs__RedisHealth__Deadline"] = "00:00:30",
        ["Jobs__MemoryAlerts__CallDeadline"] = "00:00:10",
        // A second at the first run instead of half a minute.
        ["Jobs__RedisHealth__Jitter"] = "00:00:01",
        ["Jobs__SessionCleanup__Jitter"] = "00:00:01",
    };
}
