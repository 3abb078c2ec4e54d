using Maintenance.Worker.Results;
using Quartz;

namespace Maintenance.Worker.Scheduling;

/// <summary>The one Quartz job: a firing becomes a run of the maintenance job that its key names.</summary>
[DisallowConcurrentExecution]
internal sealed class QuartzMaintenanceJob(
    JobRunner runner,
    IEnumerable<JobRegistration> jobs,
    IServiceProvider provider,
    ScheduleBoard board,
    PassedDueTimes passed,
    ResultsCache results,
    IHostApplicationLifetime lifetime,
    TimeProvider timeProvider) : IJob
{
    // A cron expression fires on every replica in the same second; a tenth of its interval spreads them.
    private const double CronJitterShare = 0.1;

    private static readonly TimeSpan FirstResults = TimeSpan.FromSeconds(5);

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        var name = context.JobDetail.Key.Name;
        var options = jobs.Single(job => job.Name == name).Options(provider);
        if (!JobSchedule.TryParse(options.Schedule, out var schedule, out _))
        {
            // Checked at the start, and the firing comes from what was valid then: a change since has no effect.
            return;
        }

        var now = timeProvider.GetUtcNow();
        var interval = schedule.IntervalAt(now);
        board.Set(name, interval, now, context.NextFireTimeUtc);
        // A missed firing still carries the time at which it was missed; what it catches up with is due now.
        var scheduled = context.ScheduledFireTimeUtc ?? context.FireTimeUtc;
        var moment = context.FireTimeUtc - scheduled > ScheduleStarter.MisfireThreshold ? context.FireTimeUtc : scheduled;
        passed.Fires(name, moment);
        var due = schedule.DueOf(moment);
        // The scheduler waits for its jobs before it ends their token; these waits are not worth the host's patience.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        try
        {
            if (schedule.Cron is not null)
            {
                var longest = interval * CronJitterShare < options.Jitter ? interval * CronJitterShare : options.Jitter;
                await Task.Delay(longest * Random.Shared.NextDouble(), timeProvider, stopping.Token);
            }

            await results.FirstReadAsync(FirstResults, stopping.Token);
            var next = schedule.NextDue(due);
            await runner.RunDueAsync(new RunRequest(name) { Due = due, Interval = next - due }, next, cancellationToken);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The host stops; a run under way has already said so in its result.
        }
    }
}
