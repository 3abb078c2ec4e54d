using System.Buffers;
using Maintenance.Prometheus.Collection;

namespace Maintenance.Prometheus.Exposition;

/// <summary>Collects and writes; scrapes wait for one another, because the callbacks of observable instruments need not be thread-safe.</summary>
internal sealed class Scraper(MetricCollector collector) : IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private int _lastSize = 16 * 1024;

    public async Task<ReadOnlyMemory<byte>> ScrapeAsync(ExpositionFormat format, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            var output = new ArrayBufferWriter<byte>(_lastSize + (_lastSize / 4));
            new ExpositionWriter(output, format).Write(collector.Collect());
            _lastSize = output.WrittenCount;
            return output.WrittenMemory;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public void Dispose() => _oneAtATime.Dispose();
}
