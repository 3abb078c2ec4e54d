using System.Diagnostics.Metrics;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>Drift as the last pass found it, on whichever replica that was; absent before the first.</summary>
public sealed class IndexReconciliationMetrics : IJobResultObserver
{
    private readonly LatestSnapshot<IndexReconciliationSnapshot> latest;

    /// <summary>Creates the gauges.</summary>
    public IndexReconciliationMetrics(IMeterFactory meterFactory, LatestSnapshot<IndexReconciliationSnapshot> latest)
    {
        this.latest = latest;
        var meter = meterFactory.Create(WorkerMeter.Name);
        meter.CreateObservableGauge(
            "maintenance.index.drift.members", Measure, description: "Index members out of step, as found by the last pass, by keyspace and kind.");
        meter.CreateObservableGauge(
            "maintenance.foreign.sessions", MeasureForeign, description: "Sessions in stores of other programs, as seen by the last pass, by keyspace.");
    }

    /// <inheritdoc/>
    public string Job => JobNames.IndexReconciliation;

    /// <inheritdoc/>
    public void Observe(JobResult result) => latest.Take(result);

    private IEnumerable<Measurement<long>> Measure()
    {
        if (latest.Value is not { } found)
        {
            yield break;
        }

        yield return Of(SweepMetrics.Native, "dangling", found.Dangling);
        yield return Of(SweepMetrics.Native, "missing", found.Missing);
        yield return Of(SweepMetrics.Native, "wrong_expiry", found.WrongExpiry);
        yield return Of(SweepMetrics.Native, "revoked", found.Revoked);
        yield return Of(SweepMetrics.Native, "index_life", found.IndexLife);
        foreach (var (keyspace, drift) in found.Tokens)
        {
            yield return Of(keyspace, "dangling", drift.Dangling);
            yield return Of(keyspace, "wrong_expiry", drift.WrongExpiry);
            yield return Of(keyspace, "revoked", drift.Revoked);
            yield return Of(keyspace, "index_life", drift.IndexLife);
        }

        foreach (var (keyspace, store) in found.Foreign)
        {
            yield return Of(keyspace, "dangling", store.Dangling);
            yield return Of(keyspace, "missing", store.Missing);
            yield return Of(keyspace, "wrong_expiry", store.WrongExpiry);
        }
    }

    private IEnumerable<Measurement<long>> MeasureForeign() => latest.Value is { } found
        ? found.Foreign.Select(store => new Measurement<long>(store.Value.Sessions, new KeyValuePair<string, object?>("keyspace", store.Key)))
        : [];

    private static Measurement<long> Of(string keyspace, string kind, long value) =>
        new(value, new KeyValuePair<string, object?>("keyspace", keyspace), new KeyValuePair<string, object?>("kind", kind));
}
