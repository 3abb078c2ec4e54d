using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.IO.Compression;
using System.Net.Http.Headers;
using Maintenance.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Maintenance.Prometheus.Tests.Hosting;

/// <summary>Scrapes over HTTP a real Kestrel on a free loopback port.</summary>
public sealed class MetricsEndpointTests : IAsyncLifetime
{
    private readonly HttpClient _client = new();
    private WebApplication _app = null!;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<EveryKind>();
        builder.Services.AddHostedService<EveryKindAtStart>();
        builder.Services.AddPrometheusExporter();
        _app = builder.Build();
        _app.MapMetrics();
        await _app.StartAsync();
        _client.BaseAddress = new Uri(_app.Urls.Single());
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task Get_AnswersText004_ByDefault()
    {
        using var response = await _client.GetAsync("/metrics");

        response.EnsureSuccessStatusCode();
        response.Content.Headers.ContentType!.ToString().ShouldBe("text/plain; version=0.0.4; charset=utf-8");
        (await response.Content.ReadAsStringAsync()).ShouldContain("every_runs_total{outcome=\"success\"} 0");
    }

    [Fact]
    public async Task Get_AnswersOpenMetrics_WhenAccepted()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.TryAddWithoutValidation("Accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
        using var response = await _client.SendAsync(request);

        response.Content.Headers.ContentType!.ToString().ShouldBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
        (await response.Content.ReadAsStringAsync()).ShouldEndWith("\n# EOF\n");
    }

    [Fact]
    public async Task Get_Compresses_WhenGzipIsAccepted()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        using var response = await _client.SendAsync(request);

        response.Content.Headers.ContentEncoding.ShouldBe(["gzip"]);
        await using var body = new GZipStream(await response.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using var reader = new StreamReader(body);
        (await reader.ReadToEndAsync()).ShouldContain("# TYPE every_runs_total counter");
    }

    [Fact]
    public async Task Get_HasAspNetCoreAndKestrelMeters_UnderTheirOwnNames()
    {
        // A request is counted when it has ended, which its client may know a moment before.
        await Eventually.SucceedsAsync(async () =>
        {
            var text = await _client.GetStringAsync("/metrics");
            text.ShouldContain("# TYPE http_server_request_duration_seconds histogram\n");
            text.ShouldContain("http_route=\"/metrics\"");
            text.ShouldContain("# TYPE kestrel_active_connections gauge\n");
        });
    }

    /// <summary>The names that lints may complain of are those of meters that are not ours; ours and every line's syntax must pass.</summary>
    [Fact]
    public async Task Promtool_FindsNoErrorAndNoLintOfOurs_InARealScrape()
    {
        await _client.GetStringAsync("/metrics");
        var text = await _client.GetStringAsync("/metrics");
        var ours = string.Join('\n', text.Split('\n').Where(line => Subject(line) is var s
            && (s.StartsWith("every_", StringComparison.Ordinal) || s.StartsWith("prometheus_exporter_", StringComparison.Ordinal)))) + "\n";

        var (oursExit, oursOutput) = await PromtoolAsync(ours);
        oursOutput.ShouldBe("");
        oursExit.ShouldBe(0);

        // Exit 3 means lints only; 1 a text that cannot be parsed.
        var (exit, output) = await PromtoolAsync(text);
        exit.ShouldBeOneOf(0, 3);
        output.ShouldNotContain("error");
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldAllBe(line => IsForeign(line));
    }

    [Fact]
    public void MapMetrics_Throws_WhenTheExporterWasNotAdded()
    {
        var app = WebApplication.CreateSlimBuilder().Build();

        Should.Throw<InvalidOperationException>(() => app.MapMetrics()).Message.ShouldContain("AddPrometheusExporter");
    }

    private static string Subject(string line) =>
        line.StartsWith("# ", StringComparison.Ordinal) ? line.Split(' ', 4).ElementAtOrDefault(2) ?? "" : line;

    private static bool IsForeign(string lint) =>
        lint.StartsWith("dotnet_", StringComparison.Ordinal) || lint.StartsWith("http_", StringComparison.Ordinal)
        || lint.StartsWith("kestrel_", StringComparison.Ordinal) || lint.StartsWith("aspnetcore_", StringComparison.Ordinal)
        || lint.StartsWith("dns_", StringComparison.Ordinal);

    private static async Task<(int Exit, string Output)> PromtoolAsync(string exposition)
    {
        var start = new ProcessStartInfo("promtool", ["check", "metrics"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var promtool = Process.Start(start)!;
        var output = promtool.StandardOutput.ReadToEndAsync();
        var errors = promtool.StandardError.ReadToEndAsync();
        await promtool.StandardInput.WriteAsync(exposition);
        promtool.StandardInput.Close();
        await promtool.WaitForExitAsync();
        return (promtool.ExitCode, await output + await errors);
    }

    /// <summary>A metrics class as the product's: its zeroes are recorded in the constructor.</summary>
    private sealed class EveryKind
    {
        public EveryKind(IMeterFactory meters)
        {
            var meter = meters.Create("every");
            meter.CreateCounter<long>("every.runs", "{run}", "A counter.").Add(0, new KeyValuePair<string, object?>("outcome", "success"));
            meter.CreateUpDownCounter<long>("every.updown", "{item}", "An up-down counter.").Add(2);
            meter.CreateGauge<double>("every.fragmentation", "1", "A gauge with \"quotes\" and \\.")
                .Record(double.NaN, new KeyValuePair<string, object?>("path", "C:\\x \"y\"\nz"));
            meter.CreateHistogram<double>("every.duration", "s", "A histogram.").Record(0.2, new KeyValuePair<string, object?>("task", "a"));
            meter.CreateObservableCounter("every.observed", () => 5L, "By", "An observable counter.");
            meter.CreateObservableGauge("every.timestamp", () => 1763683200.5, "s", "An observable gauge.");
            meter.CreateObservableUpDownCounter("every.observed.updown", () => -1, null, "An observable up-down counter.");
            meter.CreateGaugeHistogram("every.ttl", () => [new([60, 3600], [1, 2, 3], 9000, new KeyValuePair<string, object?>("kind", "session"))],
                "s", "A gauge histogram.");
            meter.CreateObservableGauge("every.broken", Measurement<int> () => throw new InvalidOperationException("broken on purpose"), null, "Never there.");
        }
    }

    private sealed class EveryKindAtStart : IHostedService
    {
        public EveryKindAtStart(EveryKind metrics) => ArgumentNullException.ThrowIfNull(metrics);

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
