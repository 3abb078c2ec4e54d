using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Maintenance.Testing;

/// <summary>One series of an instant query's answer.</summary>
/// <param name="Labels">Labels, with <c>__name__</c> if the query kept it.</param>
/// <param name="Value">The value.</param>
public sealed record PrometheusSample(IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>A real Prometheus that scrapes given targets every second.</summary>
public sealed class PrometheusServer : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("maintenance-prometheus-").FullName;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private ChildProcess? _process;

    private PrometheusServer()
    {
    }

    /// <summary>Loopback port of its web interface.</summary>
    public int Port { get; private set; }

    /// <summary>Base address.</summary>
    public Uri Address => new($"http://127.0.0.1:{Port}/");

    /// <summary>Its last log lines.</summary>
    public string LogTail => _process?.Tail() ?? "not started";

    /// <summary>Starts one and returns when it is ready.</summary>
    /// <param name="targets">Host and port of each target; job <c>maintenance</c>.</param>
    /// <param name="metricsPath">Path to scrape.</param>
    /// <param name="ruleFiles">Rule files to evaluate every second.</param>
    public static async Task<PrometheusServer> StartAsync(
        IEnumerable<string> targets, string metricsPath = "/metrics", IEnumerable<string>? ruleFiles = null)
    {
        var server = new PrometheusServer();
        try
        {
            await File.WriteAllTextAsync(Path.Combine(server._folder, "prometheus.yml"), Configuration(targets, metricsPath, ruleFiles ?? []));
            for (var attempt = 1; !await server.TryStartAsync(); attempt++)
            {
                if (attempt == 3)
                {
                    throw new InvalidOperationException($"prometheus does not become ready. {server.LogTail}");
                }
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs an instant query.</summary>
    /// <exception cref="InvalidOperationException">Prometheus refused the query; the message holds its reason.</exception>
    public async Task<IReadOnlyList<PrometheusSample>> QueryAsync(string promql)
    {
        using var response = await _http.GetAsync(new Uri(Address, $"api/v1/query?query={Uri.EscapeDataString(promql)}"));
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"'{promql}': {body.RootElement.GetProperty("error").GetString()}");
        }

        var data = body.RootElement.GetProperty("data");
        var result = data.GetProperty("result");
        return data.GetProperty("resultType").GetString() == "scalar"
            ? [new PrometheusSample(new Dictionary<string, string>(StringComparer.Ordinal), Number(result))]
            : [.. result.EnumerateArray().Select(Sample)];
    }

    /// <summary>Awaits an answer with at least one series: a first scrape takes a second or two.</summary>
    public async Task<IReadOnlyList<PrometheusSample>> QueryUntilAnyAsync(string promql, TimeSpan? within = null)
    {
        IReadOnlyList<PrometheusSample> found = [];
        await Eventually.TrueAsync(async () => (found = await QueryAsync(promql)).Count > 0, within ?? TimeSpan.FromSeconds(60), promql);
        return found;
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

    private static string Configuration(IEnumerable<string> targets, string metricsPath, IEnumerable<string> ruleFiles)
    {
        var yaml = new StringBuilder("global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n  evaluation_interval: 1s\n");
        yaml.Append("rule_files: [").AppendJoin(", ", ruleFiles.Select(file => JsonSerializer.Serialize(file))).Append("]\n");
        yaml.Append("scrape_configs:\n  - job_name: maintenance\n    metrics_path: ").Append(JsonSerializer.Serialize(metricsPath));
        yaml.Append("\n    static_configs:\n      - targets: [").AppendJoin(", ", targets.Select(target => JsonSerializer.Serialize(target)));
        return yaml.Append("]\n").ToString();
    }

    private static PrometheusSample Sample(JsonElement series) => new(
        series.GetProperty("metric").EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!, StringComparer.Ordinal),
        Number(series.GetProperty("value")));

    private static double Number(JsonElement pair) => pair[1].GetString() switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        var text => double.Parse(text!, CultureInfo.InvariantCulture),
    };

    private async Task<bool> TryStartAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        Port = FreePort.Next();
        var process = ChildProcess.Start(
            "prometheus",
            [
                $"--config.file={Path.Combine(_folder, "prometheus.yml")}",
                $"--storage.tsdb.path={Path.Combine(_folder, "data")}",
                $"--web.listen-address=127.0.0.1:{Port}",
            ],
            workingDirectory: _folder);
        _process = process;
        try
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    if (process.HasExited)
                    {
                        return true;
                    }

                    using var response = await _http.GetAsync(new Uri(Address, "-/ready"));
                    return response.IsSuccessStatusCode;
                },
                TimeSpan.FromSeconds(30));
        }
        catch (TimeoutException)
        {
            return false;
        }

        return !process.HasExited;
    }
}
