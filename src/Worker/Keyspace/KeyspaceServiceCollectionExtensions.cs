using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Maintenance.Worker.Keyspace;

/// <summary>What the jobs that walk over the keyspace share.</summary>
internal static class KeyspaceServiceCollectionExtensions
{
    /// <summary>Adds the counters, once however often it is called.</summary>
    public static IServiceCollection AddKeyspaceSweep(this IServiceCollection services)
    {
        services.TryAddSingleton<SweepMetrics>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, SweepMetricsStart>());
        return services;
    }

    // Before the first run of any job, so that a rate over the first run is not lost.
    private sealed class SweepMetricsStart(SweepMetrics metrics) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            metrics.Prime();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
