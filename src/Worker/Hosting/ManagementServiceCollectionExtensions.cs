using Maintenance.Storage.Diagnostics;
using Maintenance.Worker.Scheduling;
using Maintenance.Worker.Status;
using Maintenance.Worker.Status.Page;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Hosting;

/// <summary>What the management port needs.</summary>
internal static class ManagementServiceCollectionExtensions
{
    // Shorter than an orchestrator's usual patience of one second, so that it hears a reason.
    private static readonly TimeSpan ProbePatience = TimeSpan.FromMilliseconds(800);

    public static IServiceCollection AddManagement(this IServiceCollection services)
    {
        services.AddOptions<ManagementOptions>().BindConfiguration(ManagementOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ManagementOptions>, ManagementOptionsValidator>();
        services.AddSingleton<TokenGuesses>();
        services.AddSingleton<ManagementToken>();
        services.AddSingleton<JobsView>();
        services.AddStatusPage();
        services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.PropertyNamingPolicy = JobResultJson.Options.PropertyNamingPolicy;
            options.SerializerOptions.DefaultIgnoreCondition = JobResultJson.Options.DefaultIgnoreCondition;
        });
        services.AddHealthChecks()
            .AddCheck<RedisHealthCheck>(RedisHealthCheck.Name, failureStatus: null, tags: [HealthEndpoints.ReadyTag], timeout: ProbePatience)
            .AddCheck<PauseCheck>(PauseCheck.Name);
        services.AddOptions<Microsoft.Extensions.Diagnostics.HealthChecks.HealthCheckServiceOptions>()
            .Configure<IEnumerable<JobRegistration>>((health, jobs) =>
            {
                foreach (var job in jobs)
                {
                    health.Registrations.Add(new(
                        JobCheck.Prefix + job.Name, provider => ActivatorUtilities.CreateInstance<JobCheck>(provider, job), failureStatus: null, tags: null));
                }
            });
        return services;
    }
}
