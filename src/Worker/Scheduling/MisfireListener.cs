using Quartz;

namespace Maintenance.Worker.Scheduling;

/// <summary>Counts firings that came too late to be made.</summary>
internal sealed class MisfireListener(JobMetrics metrics, ILogger<MisfireListener> logger) : ITriggerListener
{
    public string Name => nameof(MisfireListener);

    public ValueTask TriggerMisfired(ITrigger trigger, IScheduler scheduler, CancellationToken cancellationToken = default)
    {
        metrics.Misfired(trigger.JobKey.Name);
        logger.Misfired(trigger.JobKey.Name);
        return ValueTask.CompletedTask;
    }
}
