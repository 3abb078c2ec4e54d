using System.Text.Json;

namespace Maintenance.Testing;

/// <summary>An alert that Alertmanager holds.</summary>
/// <param name="Labels">Its identity.</param>
/// <param name="Annotations">Its texts.</param>
/// <param name="StartsAt">When it began.</param>
/// <param name="EndsAt">When it ends, unless somebody sends it again.</param>
public sealed record HeldAlert(
    IReadOnlyDictionary<string, string> Labels, IReadOnlyDictionary<string, string> Annotations, DateTimeOffset StartsAt, DateTimeOffset EndsAt);

/// <summary>A real Alertmanager that tells a webhook of every change within a second.</summary>
public sealed class AlertmanagerServer : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("maintenance-alertmanager-").FullName;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private ChildProcess? _process;

    private AlertmanagerServer(int port) => Port = port;

    /// <summary>Loopback port of its API.</summary>
    public int Port { get; }

    /// <summary>Base address.</summary>
    public Uri Address => new($"http://127.0.0.1:{Port}/");

    /// <summary>Its last log lines.</summary>
    public string LogTail => _process?.Tail() ?? "not started";

    /// <summary>Starts one and returns when it is ready.</summary>
    /// <param name="webhook">Who is told.</param>
    /// <param name="port">Its port; null for a free one.</param>
    /// <exception cref="InvalidOperationException">It did not start; the message ends with its log.</exception>
    public static async Task<AlertmanagerServer> StartAsync(Uri webhook, int? port = null)
    {
        var server = new AlertmanagerServer(port ?? FreePort.Next());
        try
        {
            await File.WriteAllTextAsync(Path.Combine(server._folder, "alertmanager.yml"), Configuration(webhook));
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>The alerts that it holds to be firing.</summary>
    public async Task<IReadOnlyList<HeldAlert>> AlertsAsync()
    {
        using var body = JsonDocument.Parse(await _http.GetStringAsync(new Uri(Address, "api/v2/alerts?active=true")));
        return [.. body.RootElement.EnumerateArray().Select(alert => new HeldAlert(
            Texts(alert.GetProperty("labels")),
            Texts(alert.GetProperty("annotations")),
            alert.GetProperty("startsAt").GetDateTimeOffset(),
            alert.GetProperty("endsAt").GetDateTimeOffset()))];
    }

    /// <summary>Kills it and starts it again on the same port; it has forgotten all alerts, as it keeps none on disk.</summary>
    public async Task RestartAsync()
    {
        await _process!.DisposeAsync();
        await StartAsync();
    }

    /// <summary>Kills it and removes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static string Configuration(Uri webhook) => $$"""
        route:
          receiver: test
          group_by: ['...']
          group_wait: 0s
          group_interval: 1s
          repeat_interval: 1h
        receivers:
          - name: test
            webhook_configs:
              - url: {{webhook}}
                send_resolved: true
        """;

    private static Dictionary<string, string> Texts(JsonElement element) =>
        element.EnumerateObject().ToDictionary(item => item.Name, item => item.Value.GetString()!, StringComparer.Ordinal);

    private async Task StartAsync()
    {
        var process = ChildProcess.Start(
            "prometheus-alertmanager",
            [
                $"--config.file={Path.Combine(_folder, "alertmanager.yml")}",
                $"--storage.path={Path.Combine(_folder, "data")}",
                $"--web.listen-address=127.0.0.1:{Port}",
                // No cluster: no port of its own.
                "--cluster.listen-address=",
            ],
            workingDirectory: _folder);
        _process = process;
        await Eventually.TrueAsync(
            async () =>
            {
                if (process.HasExited)
                {
                    return true;
                }

                using var response = await _http.GetAsync(new Uri(Address, "-/ready"));
                // Whatever else has taken the port may be ready too.
                return response.IsSuccessStatusCode && !process.HasExited;
            },
            TimeSpan.FromSeconds(60));
        if (process.HasExited)
        {
            await process.WaitForExitAsync();
            throw new InvalidOperationException($"alertmanager ended. {process.Tail()}");
        }
    }
}
