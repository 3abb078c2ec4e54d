using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Maintenance.Prometheus.Naming;
using Microsoft.Extensions.Logging;

namespace Maintenance.Prometheus.Collection;

/// <summary>Leads the measurements of one instrument to the series of its family.</summary>
internal sealed class InstrumentBinding
{
    private readonly ConcurrentDictionary<KeyValuePair<string, object?>[], Series> _known = new(TagSpanComparer.Instance);
    private readonly ConcurrentDictionary<KeyValuePair<string, object?>[], Series>
        .AlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>> _knownByTags;

    private readonly KeyValuePair<string, object?>[] _constantTags;
    private readonly ExporterMetrics _metrics;
    private readonly ILogger _logger;
    private readonly int _maxSeries;
    private readonly bool _isCounter;
    private readonly bool _isHistogram;
    private Series? _untagged;
    private bool _isFailing;

    public InstrumentBinding(Instrument instrument, Family family, int maxSeries, ExporterMetrics metrics, ILogger logger)
    {
        Instrument = instrument;
        Family = family;
        _maxSeries = maxSeries;
        _metrics = metrics;
        _logger = logger;
        _constantTags = [.. instrument.Meter.Tags ?? [], .. instrument.Tags ?? []];
        _knownByTags = _known.GetAlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>>();
        _isCounter = family.Shape.Type == FamilyType.Counter;
        _isHistogram = family.Shape.Type is FamilyType.Histogram or FamilyType.GaugeHistogram;
    }

    public Instrument Instrument { get; }

    public Family Family { get; }

    /// <summary>Observable instruments have a listener of their own, which tells whose callback failed.</summary>
    public MeterListener? Listener { get; set; }

    /// <summary>The scrape that is going on; only observable instruments use it.</summary>
    private long Scrape { get; set; }

    public void Record(long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (_isCounter && value < 0) _metrics.DroppedInvalidValue();
        else if (Find(tags) is { } series) series.Record(value);
    }

    /// <summary>A counter cannot take a negative or non-finite value, nor a histogram a non-finite one: it would spoil the sum for good. Gauges take any.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var isInvalid = (_isCounter && !(value >= 0 && double.IsFinite(value)))
            || (Family.Shape.Aggregation is Aggregation.Buckets or Aggregation.Sum && !double.IsFinite(value));
        if (isInvalid) _metrics.DroppedInvalidValue();
        else if (Find(tags) is { } series) series.Record(value);
    }

    /// <summary>Runs an observable instrument's callback. One that throws is logged, and none of its series is in this scrape.</summary>
    public void Observe(long scrape)
    {
        Scrape = scrape;
        try
        {
            if (Instrument is GaugeHistogram histogram) Take(histogram.Snapshots());
            else Listener?.RecordObservableInstruments();
            _isFailing = false;
        }
        catch (Exception exception)
        {
            Family.Disown(this);
            _metrics.CallbackFailed();
            if (!_isFailing) Log.CallbackFailed(_logger, exception, Instrument.Name, Instrument.Meter.Name);
            _isFailing = true;
        }
    }

    /// <summary>Forgets which tags lead to which series, after series were removed.</summary>
    public void ForgetKnownTags()
    {
        _known.Clear();
        _untagged = null;
    }

    private void Take(IEnumerable<GaugeHistogramSnapshot> snapshots)
    {
        foreach (var snapshot in snapshots)
        {
            if (Find([.. snapshot.Tags]) is SnapshotSeries series) series.Replace(snapshot);
        }
    }

    private Series? Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Series? series;
        if (tags.IsEmpty) series = _untagged ??= FindByLabels(tags);
        else if (!_knownByTags.TryGetValue(tags, out series)) series = FindByLabels(tags);

        if (series is not null && Family.Shape.IsObservable)
        {
            series.SeenInScrape = Scrape;
            series.Observer = this;
        }

        return series;
    }

    private Series? FindByLabels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var series = Family.GetOrAdd(Labels.Render(_constantTags, tags, _isHistogram));
        if (series is null)
        {
            _metrics.DroppedOverLimit();
            if (Family.ReportLimitOnce()) Log.SeriesLimitReached(_logger, Family.Name.Full, _maxSeries);
        }
        else if (!tags.IsEmpty && _known.Count < _maxSeries * 4L)
        {
            // Bounded: tags in another order or values without equality lead to known series in ever new ways.
            _knownByTags[tags] = series;
        }

        return series;
    }
}
