using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Alerting;

/// <summary>Adds alerting.</summary>
public static class AlertingServiceCollectionExtensions
{
    /// <summary>Registers the center, its common rules and the log sink. Jobs' folders add their own rules, sinks theirs.</summary>
    public static IServiceCollection AddAlerting(this IServiceCollection services)
    {
        services.AddOptions<AlertingOptions>().BindConfiguration(AlertingOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AlertingOptions>, AlertingOptionsValidator>();
        services.AddSingleton<IAlertRule, JobFailedRule>();
        services.AddSingleton<IAlertRule, DriftRule>();
        services.AddSingleton<IAlertSink, LogSink>();
        services.AddSingleton<AlertCenter>();
        foreach (var job in JobNames.All)
        {
            services.AddSingleton<IJobResultObserver>(provider => new AlertObserver(job, provider.GetRequiredService<AlertCenter>()));
        }

        services.AddHostedService<AlertDispatcher>();
        return services;
    }
}
