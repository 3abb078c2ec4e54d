using Quartz;

namespace Maintenance.Worker.Scheduling;

/// <summary>Puts the jobs into the scheduler before it starts.</summary>
internal sealed class ScheduleStarter(
    ISchedulerFactory schedulers,
    IEnumerable<JobRegistration> jobs,
    IServiceProvider provider,
    ScheduleBoard board,
    PassedDueTimes passed,
    TimeProvider timeProvider,
    ILogger<ScheduleStarter> logger) : IHostedService
{
    // A firing that is later than this was missed: it is for what is due now, and the ones before are not made up for one after the other.
    internal static readonly TimeSpan MisfireThreshold = TimeSpan.FromSeconds(1);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        foreach (var job in jobs)
        {
            var options = job.Options(provider);
            if (!options.Enabled)
            {
                logger.JobDisabled(job.Name, JobNames.Section(job.Name));
                continue;
            }

            if (!JobSchedule.TryParse(options.Schedule, out var schedule, out var problem))
            {
                throw new InvalidOperationException($"Jobs:{JobNames.Section(job.Name)}:Schedule {problem}.");
            }

            var now = timeProvider.GetUtcNow();
            var interval = schedule.IntervalAt(now);
            var trigger = Trigger(job.Name, schedule, interval, options.Jitter, now);
            var detail = JobBuilder.Create<QuartzMaintenanceJob>().WithIdentity(job.Name).Build();
            var first = await scheduler.ScheduleJob(detail, trigger, default, cancellationToken);
            board.Set(job.Name, interval, now, first);
            passed.Expect(job.Name, schedule, first);
            logger.JobScheduled(job.Name, options.Schedule, first.ToString("u"));
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private ITrigger Trigger(string name, JobSchedule schedule, TimeSpan interval, TimeSpan jitter, DateTimeOffset now)
    {
        var trigger = TriggerBuilder.Create(timeProvider).WithIdentity(name).WithMisfireThreshold(MisfireThreshold);
        if (schedule.Cron is not null)
        {
            return trigger.WithCronSchedule(
                schedule.Cron, cron => cron.InTimeZone(TimeZoneInfo.Utc).WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed)).Build();
        }

        var longest = jitter < interval ? jitter : interval;
        return trigger
            .StartAt(now + (longest * Random.Shared.NextDouble()))
            .WithSimpleSchedule(simple => simple
                .WithInterval(interval)
                .RepeatForever()
                .WithMisfireInstruction(SimpleTriggerMisfireInstruction.NowWithExistingCount))
            .Build();
    }
}
