using System.Diagnostics.Metrics;
using System.Text;
using Maintenance.Prometheus.Exposition;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Maintenance.Prometheus.Tests;

/// <summary>A container with an exporter that listens, one meter of its factory, and what was logged.</summary>
internal sealed class ExporterFixture : IDisposable
{
    private readonly ServiceProvider _services;

    public ExporterFixture(Action<PrometheusExporterOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddPrometheusExporter(configure);
        services.AddLogging(logging => logging.AddProvider(Logs));
        _services = services.BuildServiceProvider();
        Scraper = _services.GetRequiredService<Scraper>();
        Meters = _services.GetRequiredService<IMeterFactory>();
        Meter = Meters.Create("test");
    }

    public RecordedLogs Logs { get; } = new();

    public IMeterFactory Meters { get; }

    public Meter Meter { get; }

    public Scraper Scraper { get; }

    public async Task<string> TextAsync() =>
        Encoding.UTF8.GetString((await Scraper.ScrapeAsync(ExpositionFormat.Text, CancellationToken.None)).Span);

    public async Task<string> OpenMetricsAsync() =>
        Encoding.UTF8.GetString((await Scraper.ScrapeAsync(ExpositionFormat.OpenMetrics, CancellationToken.None)).Span);

    /// <summary>The lines of the text format, comments too, that speak of metrics whose name starts so.</summary>
    public async Task<string[]> LinesAsync(string prefix) => Of(await TextAsync(), prefix);

    public async Task<string[]> OpenMetricsLinesAsync(string prefix) => Of(await OpenMetricsAsync(), prefix);

    public static string[] Of(string exposition, string prefix) =>
    [
        .. exposition.Split('\n').Where(line =>
            (line.StartsWith("# ", StringComparison.Ordinal) ? line.Split(' ', 4).ElementAtOrDefault(2) ?? "" : line)
            .StartsWith(prefix, StringComparison.Ordinal)),
    ];

    public void Dispose() => _services.Dispose();
}

internal sealed class RecordedLogs : ILoggerProvider, ILogger
{
    private readonly List<(int Id, string Message)> _entries = [];

    public IReadOnlyList<(int Id, string Message)> Of(int eventId)
    {
        lock (_entries) return [.. _entries.Where(entry => entry.Id == eventId)];
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_entries) _entries.Add((eventId.Id, formatter(state, exception)));
    }

    public void Dispose()
    {
    }
}
