using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisHealth;

/// <summary>
/// Probes every node and says how it is and why. A Redis that is down is what this job is there to find, so it is no failure of the job: the
/// figures say it, on every replica, in the log and to the alerts.
/// </summary>
public sealed class RedisHealthJob(RedisProbe probe, LatestSnapshot<RedisHealthSnapshot> latest) : IMaintenanceJob
{
    /// <inheritdoc/>
    public string Name => JobNames.RedisHealth;

    /// <inheritdoc/>
    public async Task RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var found = await probe.ProbeAsync(latest.Value, cancellationToken);
        foreach (var node in found.Nodes)
        {
            context.Report.Add($"nodes_{node.Status.Label()}");
            foreach (var reason in node.Reasons)
            {
                context.Report.Warn($"{node.Node}: {reason.Code}: {reason.Text} See {reason.See}.");
            }

            foreach (var what in node.Unavailable)
            {
                context.Report.NotAvailable(what);
            }
        }

        context.Report.SetSnapshot(found);
    }
}
