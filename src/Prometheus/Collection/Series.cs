using System.Text;

namespace Maintenance.Prometheus.Collection;

/// <summary>One label set of a family, with what was recorded for it. Recording takes no lock.</summary>
internal abstract class Series(string labels)
{
    /// <summary>The text between the braces; empty without labels.</summary>
    public string Labels { get; } = labels;

    public byte[] LabelBytes { get; } = Encoding.UTF8.GetBytes(labels);

    /// <summary>Observable instruments: the last scrape in which a callback yielded this series.</summary>
    public long SeenInScrape { get; set; }

    /// <summary>Observable instruments: the one that yielded it last.</summary>
    public InstrumentBinding? Observer { get; set; }

    public abstract void Record(long value);

    public abstract void Record(double value);
}

/// <summary>A series with one value.</summary>
internal abstract class NumberSeries(string labels) : Series(labels)
{
    public abstract double Value { get; }
}

/// <summary>The sum of what was added. Whole numbers are kept apart, so that adding 1 is one interlocked instruction and stays exact.</summary>
internal sealed class SumSeries(string labels) : NumberSeries(labels)
{
    private long _whole;
    private double _real;

    public override double Value => Interlocked.Read(ref _whole) + Volatile.Read(ref _real);

    public override void Record(long value) => Interlocked.Add(ref _whole, value);

    public override void Record(double value) => InterlockedDouble.Add(ref _real, value);
}

/// <summary>The last value recorded.</summary>
internal sealed class LastValueSeries(string labels) : NumberSeries(labels)
{
    private double _value;

    public override double Value => Volatile.Read(ref _value);

    public override void Record(long value) => Volatile.Write(ref _value, value);

    public override void Record(double value) => Volatile.Write(ref _value, value);
}

/// <summary>A series of buckets.</summary>
internal abstract class BucketSeries(string labels) : Series(labels)
{
    public abstract Distribution Read();
}

/// <summary>Buckets as they are now: upper bounds without the last one, counts (not cumulative) with it.</summary>
internal readonly record struct Distribution(IReadOnlyList<double> UpperBounds, IReadOnlyList<long> Counts, double Sum);

/// <summary>Counts what was recorded into buckets. The total is the buckets' sum at the time of reading, so count and buckets never disagree.</summary>
internal sealed class HistogramSeries(string labels, double[] upperBounds) : BucketSeries(labels)
{
    private readonly long[] _counts = new long[upperBounds.Length + 1];
    private double _sum;

    public override void Record(long value) => Record((double)value);

    public override void Record(double value)
    {
        var found = Array.BinarySearch(upperBounds, value);
        Interlocked.Increment(ref _counts[found < 0 ? ~found : found]);
        InterlockedDouble.Add(ref _sum, value);
    }

    public override Distribution Read()
    {
        var counts = new long[_counts.Length];
        for (var i = 0; i < counts.Length; i++) counts[i] = Interlocked.Read(ref _counts[i]);
        return new Distribution(upperBounds, counts, Volatile.Read(ref _sum));
    }
}

/// <summary>The latest snapshot of a <see cref="GaugeHistogram"/>.</summary>
internal sealed class SnapshotSeries(string labels) : BucketSeries(labels)
{
    private GaugeHistogramSnapshot? _snapshot;

    public void Replace(GaugeHistogramSnapshot snapshot) => _snapshot = snapshot;

    public override Distribution Read() =>
        _snapshot is { } taken ? new Distribution(taken.UpperBounds, taken.Counts, taken.Sum) : new Distribution([], [0], 0);

    public override void Record(long value) => throw new InvalidOperationException("A snapshot is replaced, not recorded.");

    public override void Record(double value) => throw new InvalidOperationException("A snapshot is replaced, not recorded.");
}
