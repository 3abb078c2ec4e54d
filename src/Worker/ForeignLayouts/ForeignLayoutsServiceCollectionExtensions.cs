using Maintenance.Storage;
using Maintenance.Worker.Keyspace;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.ForeignLayouts;

/// <summary>Adds stores that other programs write.</summary>
internal static class ForeignLayoutsServiceCollectionExtensions
{
    /// <summary>Registers the pass over them and their options.</summary>
    public static IServiceCollection AddForeignLayouts(this IServiceCollection services)
    {
        services.AddOptions<KeySpacesOptions>()
            .Configure<IConfiguration>((options, configuration) => NamedSettings.Bind(configuration.GetSection(KeySpacesOptions.Section), options.Spaces))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<KeySpacesOptions>, KeySpacesOptionsValidator>();
        services.AddSingleton<ForeignLayoutsPass>();
        services.AddHostedService<ForeignMetricsStart>();
        return services;
    }

    // Every series exists with zero from the start, also those of stores that only the configuration knows.
    private sealed class ForeignMetricsStart(SweepMetrics metrics, IOptions<KeySpacesOptions> options) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            foreach (var keyspace in options.Value.Spaces.Keys)
            {
                metrics.PrimeForeign(keyspace);
            }

            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
