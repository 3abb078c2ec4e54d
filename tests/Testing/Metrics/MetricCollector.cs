using System.Diagnostics.Metrics;

namespace Maintenance.Testing;

/// <summary>One measurement with its tags.</summary>
/// <param name="Value">The value.</param>
/// <param name="Tags">Tags by name, values as text.</param>
public sealed record CollectedMeasurement<T>(T Value, IReadOnlyDictionary<string, string> Tags)
    where T : struct
{
    /// <summary>Whether it carries all the given tags.</summary>
    public bool Has(params (string Name, string Value)[] tags) =>
        tags.All(tag => Tags.TryGetValue(tag.Name, out var value) && value == tag.Value);
}

/// <summary>Reads the measurements of one instrument of one <see cref="IMeterFactory"/>.</summary>
/// <typeparam name="T">The instrument's number type: a mismatch collects nothing.</typeparam>
public sealed class MetricCollector<T> : IDisposable
    where T : struct, System.Numerics.INumber<T>
{
    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private readonly List<CollectedMeasurement<T>> _measurements = [];

    /// <summary>Starts collecting; an instrument created later is found too.</summary>
    /// <param name="factory">Only meters of this factory count.</param>
    /// <param name="instrumentName">Name of the instrument as created in code.</param>
    /// <param name="meterName">Only this meter, or any when null.</param>
    public MetricCollector(IMeterFactory factory, string instrumentName, string? meterName = null)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, factory)
                && instrument.Name == instrumentName
                && (meterName is null || instrument.Meter.Name == meterName))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<T>((_, value, tags, _) => Keep(value, tags));
        _listener.Start();
    }

    /// <summary>Everything collected so far. Observable instruments add theirs when <see cref="Observe"/> is called.</summary>
    public IReadOnlyList<CollectedMeasurement<T>> Measurements
    {
        get
        {
            lock (_gate)
            {
                return [.. _measurements];
            }
        }
    }

    /// <summary>Sum of the measurements that carry all the given tags: a counter's value.</summary>
    public T Sum(params (string Name, string Value)[] tags) =>
        Measurements.Where(measurement => measurement.Has(tags)).Aggregate(T.Zero, (sum, measurement) => sum + measurement.Value);

    /// <summary>The latest measurement with all the given tags, or null: a gauge's value.</summary>
    public T? Last(params (string Name, string Value)[] tags) => Measurements.LastOrDefault(measurement => measurement.Has(tags))?.Value;

    /// <summary>Asks observable instruments for their values now and returns only these.</summary>
    public IReadOnlyList<CollectedMeasurement<T>> Observe()
    {
        Clear();
        _listener.RecordObservableInstruments();
        return Measurements;
    }

    /// <summary>Forgets what was collected.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _measurements.Clear();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private void Keep(T value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var copy = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, tag) in tags)
        {
            copy[name] = tag?.ToString() ?? string.Empty;
        }

        lock (_gate)
        {
            _measurements.Add(new CollectedMeasurement<T>(value, copy));
        }
    }
}
