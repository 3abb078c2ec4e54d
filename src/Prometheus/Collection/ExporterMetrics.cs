using System.Diagnostics.Metrics;

namespace Maintenance.Prometheus.Collection;

/// <summary>What the exporter tells of itself, through itself.</summary>
internal sealed class ExporterMetrics
{
    private const string Reason = "reason";
    private readonly Meter _meter;
    private readonly Counter<long> _droppedMeasurements;
    private readonly Counter<long> _droppedInstruments;
    private readonly Counter<long> _callbackFailures;

    public ExporterMetrics(IMeterFactory meterFactory)
    {
        _meter = meterFactory.Create("Maintenance.Prometheus");
        _droppedMeasurements = _meter.CreateCounter<long>("prometheus_exporter.dropped_measurements", "{measurement}",
            "Measurements not exported: label set beyond the limit of series, or a value that a counter or histogram cannot take.");
        _droppedInstruments = _meter.CreateCounter<long>("prometheus_exporter.dropped_instruments", "{instrument}",
            "Instruments not exported because another one of a different type has their metric name.");
        _callbackFailures = _meter.CreateCounter<long>("prometheus_exporter.callback_failures", "{failure}",
            "Callbacks of observable instruments that threw during a scrape.");
    }

    /// <summary>Makes every series exist; to be called when the exporter listens.</summary>
    public void StartAtZero()
    {
        _droppedMeasurements.Add(0, new KeyValuePair<string, object?>(Reason, "series_limit"));
        _droppedMeasurements.Add(0, new KeyValuePair<string, object?>(Reason, "invalid_value"));
        _droppedInstruments.Add(0);
        _callbackFailures.Add(0);
    }

    public void DroppedOverLimit() => _droppedMeasurements.Add(1, new KeyValuePair<string, object?>(Reason, "series_limit"));

    public void DroppedInvalidValue() => _droppedMeasurements.Add(1, new KeyValuePair<string, object?>(Reason, "invalid_value"));

    public void DroppedInstrument() => _droppedInstruments.Add(1);

    public void CallbackFailed() => _callbackFailures.Add(1);
}
