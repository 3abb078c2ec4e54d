using System.Diagnostics.Metrics;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>Drift as the last pass found it, on whichever replica that was; absent before the first.</summary>
public sealed class IndexReconciliationMetrics : IJobResultObserver
{
    private readonly LatestSnapshot<IndexReconciliationSnapshot> latest;

    /// <summary>Creates the gauge.</summary>
    public IndexReconciliationMetrics(IMeterFactory meterFactory, LatestSnapshot<IndexReconciliationSnapshot> latest)
    {
        this.latest = latest;
        meterFactory.Create(WorkerMeter.Name).CreateObservableGauge(
            "maintenance.index.drift.members", Measure, description: "Session index members out of step, as found by the last pass, by kind.");
    }

    /// <inheritdoc/>
    public string Job => JobNames.IndexReconciliation;

    /// <inheritdoc/>
    public void Observe(JobResult result) => latest.Take(result);

    private IEnumerable<Measurement<long>> Measure() => latest.Value is not { } found
        ? []
        : [Of("dangling", found.Dangling), Of("missing", found.Missing), Of("wrong_expiry", found.WrongExpiry), Of("revoked", found.Revoked)];

    private static Measurement<long> Of(string kind, long value) =>
        new(value, new KeyValuePair<string, object?>("keyspace", SweepMetrics.Native), new KeyValuePair<string, object?>("kind", kind));
}
