using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Scheduling;

/// <summary>How a job's folder plugs its job in.</summary>
public static class MaintenanceJobServiceCollectionExtensions
{
    /// <summary>
    /// Registers a job: its class (one instance a process), its options from <c>Jobs:&lt;Section&gt;</c> with the common part validated at start, and
    /// its place in the schedule, the CLI and the endpoints.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="name">One of <see cref="JobNames"/>.</param>
    /// <param name="defaultSchedule">Interval or cron expression unless configured.</param>
    /// <param name="leaseless">When it may run without a lease.</param>
    public static IServiceCollection AddMaintenanceJob<TJob, TOptions>(
        this IServiceCollection services, string name, string defaultSchedule, LeaselessRuns leaseless = LeaselessRuns.Never)
        where TJob : class, IMaintenanceJob
        where TOptions : JobOptions
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(name);
        var section = $"Jobs:{JobNames.Section(name)}";
        services.AddOptions<TOptions>()
            .Configure(options => options.Schedule = defaultSchedule)
            .BindConfiguration(section)
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<TOptions>>(provider =>
            new JobOptionsValidator<TOptions>(section, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<TJob>();
        services.AddSingleton(new JobRegistration(
            name,
            leaseless,
            provider => provider.GetRequiredService<TJob>(),
            provider => provider.GetRequiredService<IOptionsMonitor<TOptions>>().CurrentValue));
        return services;
    }
}
