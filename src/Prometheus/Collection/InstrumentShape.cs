using System.Diagnostics.Metrics;

namespace Maintenance.Prometheus.Collection;

/// <summary>The type of a family as scraped.</summary>
internal enum FamilyType
{
    Counter,
    Gauge,
    Histogram,
    GaugeHistogram,
}

/// <summary>What is done with an instrument's measurements.</summary>
internal enum Aggregation
{
    Sum,
    LastValue,
    Buckets,
    Snapshot,
}

/// <summary>How an instrument is exported. Instruments of one name must have one shape.</summary>
internal readonly record struct InstrumentShape(FamilyType Type, Aggregation Aggregation, bool IsObservable)
{
    /// <summary>Null for a kind of instrument that this exporter does not know.</summary>
    public static InstrumentShape? Of(Instrument instrument)
    {
        if (instrument is GaugeHistogram) return new(FamilyType.GaugeHistogram, Aggregation.Snapshot, IsObservable: true);
        if (!instrument.GetType().IsGenericType) return null;

        var definition = instrument.GetType().GetGenericTypeDefinition();
        if (definition == typeof(Counter<>)) return new(FamilyType.Counter, Aggregation.Sum, IsObservable: false);
        if (definition == typeof(ObservableCounter<>)) return new(FamilyType.Counter, Aggregation.LastValue, IsObservable: true);
        if (definition == typeof(UpDownCounter<>)) return new(FamilyType.Gauge, Aggregation.Sum, IsObservable: false);
        if (definition == typeof(ObservableUpDownCounter<>)) return new(FamilyType.Gauge, Aggregation.LastValue, IsObservable: true);
        if (definition == typeof(Gauge<>)) return new(FamilyType.Gauge, Aggregation.LastValue, IsObservable: false);
        if (definition == typeof(ObservableGauge<>)) return new(FamilyType.Gauge, Aggregation.LastValue, IsObservable: true);
        if (definition == typeof(Histogram<>)) return new(FamilyType.Histogram, Aggregation.Buckets, IsObservable: false);
        return null;
    }

    /// <summary>True for the gauges proper; an up-down counter of unit <c>1</c> counts things and is no ratio.</summary>
    public static bool IsGaugeProper(Instrument instrument) =>
        instrument.GetType() is { IsGenericType: true } type
        && (type.GetGenericTypeDefinition() == typeof(Gauge<>) || type.GetGenericTypeDefinition() == typeof(ObservableGauge<>));
}
