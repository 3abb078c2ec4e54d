using Maintenance.Prometheus.Naming;

namespace Maintenance.Prometheus.Collection;

/// <summary>
/// A metric family: one name, one type, its series. Instruments of the same name and shape (also of different meters) share it: their
/// counts add up, of their gauges the last value counts. It keeps its series until its last instrument is gone.
/// </summary>
internal sealed class Family(FamilyName name, InstrumentShape shape, string help, double[] upperBounds, int maxSeries)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Series> _series = new(StringComparer.Ordinal);
    private Series[]? _sorted;
    private bool _limitReported;

    public FamilyName Name { get; } = name;

    public InstrumentShape Shape { get; } = shape;

    public string Help { get; } = help;

    /// <summary>Instruments that feed it; guarded by the collector.</summary>
    public List<InstrumentBinding> Instruments { get; } = [];

    /// <summary>The sample names that no other family may use, in either format.</summary>
    public IEnumerable<string> ClaimedNames => Shape.Type switch
    {
        FamilyType.Counter => [Name.Base, Name.Full],
        FamilyType.Histogram => [Name.Full, Name.Full + "_bucket", Name.Full + "_count", Name.Full + "_sum"],
        FamilyType.GaugeHistogram =>
            [Name.Full, Name.Full + "_bucket", Name.Full + "_count", Name.Full + "_sum", Name.Full + "_gcount", Name.Full + "_gsum"],
        _ => [Name.Full],
    };

    /// <summary>Null when the family is full.</summary>
    public Series? GetOrAdd(string labels)
    {
        lock (_gate)
        {
            if (_series.TryGetValue(labels, out var known)) return known;
            if (_series.Count >= maxSeries) return null;
            Series created = Shape.Aggregation switch
            {
                Aggregation.Sum => new SumSeries(labels),
                Aggregation.LastValue => new LastValueSeries(labels),
                Aggregation.Buckets => new HistogramSeries(labels, upperBounds),
                _ => new SnapshotSeries(labels),
            };
            _series.Add(labels, created);
            _sorted = null;
            return created;
        }
    }

    /// <summary>True the first time only.</summary>
    public bool ReportLimitOnce()
    {
        lock (_gate)
        {
            if (_limitReported) return false;
            return _limitReported = true;
        }
    }

    /// <summary>Removes series of observable instruments that no callback yielded in this scrape.</summary>
    /// <returns>True if any was removed.</returns>
    public bool RemoveUnseen(long scrape)
    {
        lock (_gate)
        {
            var unseen = _series.Values.Where(s => s.SeenInScrape != scrape).ToList();
            foreach (var series in unseen) _series.Remove(series.Labels);
            if (unseen.Count > 0) _sorted = null;
            return unseen.Count > 0;
        }
    }

    /// <summary>Makes the series that a failing callback yielded before it threw count as unseen.</summary>
    public void Disown(InstrumentBinding observer)
    {
        lock (_gate)
        {
            foreach (var series in _series.Values.Where(s => s.Observer == observer)) series.SeenInScrape = 0;
        }
    }

    /// <summary>All series in the order of their label texts; the array is not changed afterwards.</summary>
    public IReadOnlyList<Series> Sorted()
    {
        lock (_gate)
        {
            return _sorted ??= [.. _series.Values.OrderBy(s => s.Labels, StringComparer.Ordinal)];
        }
    }
}
