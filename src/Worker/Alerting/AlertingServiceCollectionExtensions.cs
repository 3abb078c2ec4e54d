using Maintenance.Storage;
using Maintenance.Worker.Alerting.Alertmanager;
using Maintenance.Worker.Alerting.Webhooks;
using Maintenance.Worker.Lease;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Alerting;

/// <summary>Adds alerting.</summary>
public static class AlertingServiceCollectionExtensions
{
    /// <summary>Registers the center, its common rules and the log sink. Jobs' folders add their own rules, sinks theirs.</summary>
    public static IServiceCollection AddAlerting(this IServiceCollection services)
    {
        services.AddOptions<AlertingOptions>().BindConfiguration(AlertingOptions.Section).Configure<IConfiguration>(BindWebhooks).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AlertingOptions>, AlertingOptionsValidator>();
        services.AddSingleton<IAlertRule, JobFailedRule>();
        services.AddSingleton<IAlertRule, DriftRule>();
        services.AddSingleton<IAlertSink, LogSink>();
        services.AddSingleton<AlertCenter>();
        foreach (var job in JobNames.All)
        {
            services.AddSingleton<IJobResultObserver>(provider => new AlertObserver(job, provider.GetRequiredService<AlertCenter>()));
        }

        services.AddSingleton<ToldAlerts>();
        services.AddHostedService(provider => provider.GetRequiredService<ToldAlerts>());
        services.AddSingleton<SinkOutcomes>();
        services.AddHostedService(provider => ActivatorUtilities.CreateInstance<AlertDispatcher>(
            provider, provider.GetServices<IAlertSink>().Concat(Webhooks(provider))));
        services.AddHostedService<AlertmanagerSender>();
        return services;
    }

    private static void BindWebhooks(AlertingOptions options, IConfiguration configuration)
    {
        options.Webhooks.Clear();
        NamedSettings.Bind(configuration.GetSection($"{AlertingOptions.Section}:{nameof(options.Webhooks)}"), options.Webhooks);
    }

    private static IEnumerable<IAlertSink> Webhooks(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<AlertingOptions>>().Value;
        return [.. options.Webhooks.Select(webhook => new WebhookSink(
            webhook.Key, webhook.Value, options.Links, provider.GetRequiredService<ReplicaName>(), provider.GetRequiredService<TimeProvider>()))];
    }
}
