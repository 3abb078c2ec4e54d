using System.Diagnostics.Metrics;
using Maintenance.Prometheus.Naming;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Maintenance.Prometheus.Collection;

/// <summary>
/// Listens, from its constructor on, to the instruments of static meters (no scope) and of this container's meter factory, and keeps
/// their families. Recording goes straight to a series; the gate is only for instruments that come and go.
/// </summary>
internal sealed class MetricCollector : IDisposable
{
    private readonly IMeterFactory _meterFactory;
    private readonly ILogger<MetricCollector> _logger;
    private readonly ExporterMetrics _metrics;
    private readonly MeterListener _listener = new();
    private readonly int _maxSeries;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Family> _families = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Family> _claims = new(StringComparer.Ordinal);
    private long _scrapes;

    public MetricCollector(IMeterFactory meterFactory, IOptions<PrometheusExporterOptions> options, ILogger<MetricCollector> logger)
    {
        _meterFactory = meterFactory;
        _logger = logger;
        _maxSeries = options.Value.MaxSeriesPerInstrument;
        _metrics = new ExporterMetrics(meterFactory);
        _listener.InstrumentPublished = (instrument, _) => Bind(instrument);
        Receive(_listener);
        _listener.Start();
        _metrics.StartAtZero();
    }

    /// <summary>Runs the callbacks of observable instruments and returns all families that have a series, by name. One call at a time.</summary>
    public IReadOnlyList<Family> Collect()
    {
        Family[] families;
        InstrumentBinding[] observables;
        lock (_gate)
        {
            families = [.. _families.Values.OrderBy(f => f.Name.Full, StringComparer.Ordinal)];
            observables = [.. families.Where(f => f.Shape.IsObservable).SelectMany(f => f.Instruments)];
        }

        var scrape = ++_scrapes;
        foreach (var binding in observables) binding.Observe(scrape);
        foreach (var family in families.Where(f => f.Shape.IsObservable && f.RemoveUnseen(scrape)))
        {
            foreach (var binding in observables.Where(b => b.Family == family)) binding.ForgetKnownTags();
        }

        return [.. families.Where(f => f.Sorted().Count > 0)];
    }

    public void Dispose()
    {
        _listener.Dispose();
        MeterListener[] others;
        lock (_gate) others = [.. _families.Values.SelectMany(f => f.Instruments).Select(b => b.Listener).OfType<MeterListener>()];
        foreach (var listener in others) listener.Dispose();
    }

    private void Bind(Instrument instrument)
    {
        var scope = instrument.Meter.Scope;
        if (scope is not null && !ReferenceEquals(scope, _meterFactory)) return;
        if (InstrumentShape.Of(instrument) is not { } shape) return;

        var name = PrometheusName.Of(
            instrument.Name, instrument.Unit, shape.Type == FamilyType.Counter, InstrumentShape.IsGaugeProper(instrument));
        InstrumentBinding? binding;
        string taken;
        lock (_gate) binding = FamilyFor(instrument, name, shape, out taken) is { } family ? Join(instrument, family) : null;
        if (binding is null)
        {
            _metrics.DroppedInstrument();
            Log.InstrumentDropped(_logger, instrument.Name, instrument.Meter.Name, $"the name {taken} belongs to a metric of another type or unit");
            return;
        }

        (binding.Listener ?? _listener).EnableMeasurementEvents(instrument, binding);
    }

    private Family? FamilyFor(Instrument instrument, FamilyName name, InstrumentShape shape, out string taken)
    {
        taken = name.Full;
        if (_families.TryGetValue(name.Full, out var known)) return known.Shape == shape && known.Name == name ? known : null;

        var help = string.IsNullOrWhiteSpace(instrument.Description)
            ? $"Instrument {instrument.Name} of meter {instrument.Meter.Name}."
            : instrument.Description;
        var bounds = shape.Aggregation == Aggregation.Buckets ? BucketBoundaries.Of(instrument) : [];
        var family = new Family(name, shape, help, bounds, _maxSeries);
        if (family.ClaimedNames.FirstOrDefault(_claims.ContainsKey) is { } claimed)
        {
            taken = claimed;
            return null;
        }

        _families.Add(name.Full, family);
        foreach (var claim in family.ClaimedNames) _claims[claim] = family;
        return family;
    }

    private InstrumentBinding Join(Instrument instrument, Family family)
    {
        var binding = new InstrumentBinding(instrument, family, _maxSeries, _metrics, _logger);
        if (family.Shape.IsObservable)
        {
            binding.Listener = new MeterListener();
            Receive(binding.Listener);
        }

        family.Instruments.Add(binding);
        return binding;
    }

    /// <summary>The instrument's meter was disposed.</summary>
    private void Leave(InstrumentBinding binding)
    {
        lock (_gate)
        {
            var family = binding.Family;
            if (!family.Instruments.Remove(binding) || family.Instruments.Count > 0) return;
            _families.Remove(family.Name.Full);
            foreach (var claim in family.ClaimedNames) _claims.Remove(claim);
        }
    }

    private void Receive(MeterListener listener)
    {
        listener.MeasurementsCompleted = (_, state) => Leave((InstrumentBinding)state!);
        listener.SetMeasurementEventCallback<byte>(static (_, value, tags, state) => ((InstrumentBinding)state!).Record((long)value, tags));
        listener.SetMeasurementEventCallback<short>(static (_, value, tags, state) => ((InstrumentBinding)state!).Record((long)value, tags));
        listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((InstrumentBinding)state!).Record((long)value, tags));
        listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((InstrumentBinding)state!).Record(value, tags));
        listener.SetMeasurementEventCallback<float>(static (_, value, tags, state) => ((InstrumentBinding)state!).Record((double)value, tags));
        listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((InstrumentBinding)state!).Record(value, tags));
        listener.SetMeasurementEventCallback<decimal>(static (_, value, tags, state) => ((InstrumentBinding)state!).Record((double)value, tags));
    }
}
