using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Lease;

/// <summary>Who has which lease, as seen from here.</summary>
public sealed class LeaseMetrics
{
    private readonly ConcurrentDictionary<string, int> held = new(StringComparer.Ordinal);
    private readonly Counter<long> transitions;

    /// <summary>Creates the instruments, with every series at zero.</summary>
    public LeaseMetrics(IMeterFactory meterFactory, IEnumerable<JobRegistration> jobs)
    {
        ArgumentNullException.ThrowIfNull(meterFactory);
        ArgumentNullException.ThrowIfNull(jobs);
        var meter = meterFactory.Create(WorkerMeter.Name);
        transitions = meter.CreateCounter<long>(
            "maintenance.lease.transitions", description: "Times that this replica took over a job's lease that another replica had let run out.");
        meter.CreateObservableGauge(
            "maintenance.lease.held",
            () => held.Select(job => new Measurement<int>(job.Value, JobMetrics.Task(job.Key))),
            description: "1 while this replica holds the job's lease.");
        foreach (var job in jobs)
        {
            held[job.Name] = 0;
            transitions.Add(0, JobMetrics.Task(job.Name));
        }
    }

    internal void Acquired(string job, bool takenOver)
    {
        held[job] = 1;
        if (takenOver)
        {
            transitions.Add(1, JobMetrics.Task(job));
        }
    }

    internal void Ended(string job) => held[job] = 0;
}
