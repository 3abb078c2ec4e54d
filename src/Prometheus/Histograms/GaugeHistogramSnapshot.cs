namespace Maintenance.Prometheus;

/// <summary>A distribution as it is now, for one label set of a <see cref="GaugeHistogram"/>. Immutable; it copies what it is given.</summary>
public sealed class GaugeHistogramSnapshot
{
    private readonly double[] _upperBounds;
    private readonly long[] _counts;
    private readonly KeyValuePair<string, object?>[] _tags;

    /// <summary>Takes the counts of one pass.</summary>
    /// <param name="upperBounds">Inclusive upper bounds in the instrument's unit: finite and strictly rising. The bucket above the last is implied.</param>
    /// <param name="counts">Items a bucket, not cumulative: one more than there are bounds, the last for what lies above them all; none negative.</param>
    /// <param name="sum">Sum of all items, in the instrument's unit.</param>
    /// <param name="tags">Tags of this distribution; none of the name <c>le</c>.</param>
    /// <exception cref="ArgumentException">Bounds or counts break the rules above.</exception>
    public GaugeHistogramSnapshot(
        IReadOnlyList<double> upperBounds, IReadOnlyList<long> counts, double sum, params KeyValuePair<string, object?>[] tags)
    {
        ArgumentNullException.ThrowIfNull(upperBounds);
        ArgumentNullException.ThrowIfNull(counts);
        ArgumentNullException.ThrowIfNull(tags);
        _upperBounds = [.. upperBounds];
        _counts = [.. counts];
        _tags = [.. tags];
        Sum = sum;

        if (_counts.Length != _upperBounds.Length + 1)
            throw new ArgumentException($"{_upperBounds.Length} bounds need {_upperBounds.Length + 1} counts, not {_counts.Length}.", nameof(counts));
        if (_counts.Any(count => count < 0))
            throw new ArgumentException("A count is negative.", nameof(counts));
        for (var i = 0; i < _upperBounds.Length; i++)
        {
            if (!double.IsFinite(_upperBounds[i]) || (i > 0 && _upperBounds[i] <= _upperBounds[i - 1]))
                throw new ArgumentException("Bounds must be finite and rise strictly.", nameof(upperBounds));
        }
    }

    /// <summary>Inclusive upper bounds, rising.</summary>
    public IReadOnlyList<double> UpperBounds => _upperBounds;

    /// <summary>Items a bucket, not cumulative; the last is for what lies above all bounds.</summary>
    public IReadOnlyList<long> Counts => _counts;

    /// <summary>Sum of all items, in the instrument's unit.</summary>
    public double Sum { get; }

    /// <summary>Tags of this distribution.</summary>
    public IReadOnlyList<KeyValuePair<string, object?>> Tags => _tags;
}
