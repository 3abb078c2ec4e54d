using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Maintenance.Worker.Keyspace;

/// <summary>What the jobs that walk over the keyspace share.</summary>
internal static class KeyspaceServiceCollectionExtensions
{
    /// <summary>Adds the counters, once however often it is called.</summary>
    public static IServiceCollection AddKeyspaceSweep(this IServiceCollection services)
    {
        services.TryAddSingleton<SweepMetrics>();
        return services;
    }
}
