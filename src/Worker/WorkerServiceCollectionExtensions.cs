using Maintenance.Archive;
using Maintenance.Prometheus;
using Maintenance.Storage;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Hosting;
using Maintenance.Worker.Lease;
using Maintenance.Worker.Results;
using Maintenance.Worker.Scheduling;
using Maintenance.Worker.SessionCleanup;
using Microsoft.Extensions.Options;
using Quartz;

namespace Maintenance.Worker;

/// <summary>Puts the worker together.</summary>
public static class WorkerServiceCollectionExtensions
{
    // No request waits for the worker, and its batches are larger than a host's calls.
    private static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(2);

    // Of PostgreSQL a run asks for a thousand rows at once, and its first call makes the connection too.
    private static readonly TimeSpan ArchiveDeadline = TimeSpan.FromSeconds(10);

    /// <summary>Storage, jobs and what runs them; enough for the verbs of the command line.</summary>
    public static IServiceCollection AddMaintenanceWorker(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.Configure<RedisOptions>(options => options.Deadline = DefaultDeadline);
        services.AddAuthStorage(configuration);
        services.Configure<PostgresArchiveOptions>(options => options.Deadline = ArchiveDeadline);
        if (services.AddPostgresArchive(configuration))
        {
            services.AddSingleton<ArchiveCleanup>();
        }

        services.AddSingleton<IValidateOptions<RedisOptions>, WorkerNeedsRedis>();
        services.AddOptions<StorageModeOptions>().Validate(
            options => options.Mode != StorageMode.Memory,
            "Storage:Mode is Memory: the worker maintains Redis and has nothing to do without it. A web host may run in memory; do not start a worker then.");
        services.AddOptions<JobsOptions>().BindConfiguration(JobsOptions.Section).ValidateOnStart();
        services.AddOptions<LeaseOptions>().BindConfiguration(LeaseOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<LeaseOptions>, LeaseOptionsValidator>();
        services.AddOptions<ResultsOptions>().BindConfiguration(ResultsOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ResultsOptions>, ResultsOptionsValidator>();

        services.AddSingleton(_ => ReplicaName.OfThisProcess());
        services.AddSingleton<JobMetrics>();
        services.AddSingleton<LeaseMetrics>();
        services.AddSingleton<JobLease>();
        services.AddSingleton<PauseState>();
        services.AddSingleton<ResultStore>();
        services.AddSingleton<ResultsCache>();
        services.AddSingleton<RunLog>();
        services.AddSingleton<JobExecution>();
        services.AddSingleton<JobRunner>();
        services.AddSingleton<ScheduleBoard>();
        services.AddSingleton<PassedDueTimes>();
        services.AddJobs();
        services.KeepLastGoodOptions();
        return services;
    }

    /// <summary>What serving needs beside: the schedule, the loader of results and the exporter.</summary>
    public static IServiceCollection AddMaintenanceSchedule(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddPrometheusExporter();
        services.AddHostedService(provider => provider.GetRequiredService<ResultsCache>());
        services.AddQuartz(quartz => quartz
            .ConfigureScheduler(scheduler => scheduler.InstanceName = "maintenance")
            .UseInMemoryStore()
            .UseDefaultTimeZone(TimeZoneInfo.Utc));
        // Stops after the scheduler and the endpoints, which begin runs.
        services.AddHostedService<RunsEnding>();
        services.AddHostedService<ScheduleStarter>();
        services.AddQuartzHostedService(options =>
        {
            options.WaitForJobsToComplete = true;
            options.AwaitApplicationStarted = true;
        });
        return services;
    }
}

/// <summary>Refuses a worker without Redis: there would be nothing to maintain.</summary>
internal sealed class WorkerNeedsRedis : IValidateOptions<RedisOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisOptions options) => options.Enabled
        ? ValidateOptionsResult.Success
        : ValidateOptionsResult.Fail(
            "Storage:Redis:Enabled (or REDIS_ENABLED) is false: the worker maintains Redis and has nothing to do without it. A web host may run in memory; do not start a worker then.");
}
