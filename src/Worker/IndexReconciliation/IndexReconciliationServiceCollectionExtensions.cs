using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>Adds the job.</summary>
public static class IndexReconciliationServiceCollectionExtensions
{
    /// <summary>Registers <c>index-reconciliation</c>, by default every 6 h, its options and its metrics.</summary>
    public static IServiceCollection AddIndexReconciliation(this IServiceCollection services)
    {
        services.AddKeyspaceSweep();
        services.AddSingleton<IndexReconciliationMetrics>();
        services.AddSingleton<IJobResultObserver>(provider => provider.GetRequiredService<IndexReconciliationMetrics>());
        services.AddOptions<IndexReconciliationOptions>()
            .Validate(options => options.MaxSessionsInMemory > 0, "Jobs:IndexReconciliation:MaxSessionsInMemory must be above 0.")
            .Validate(options => options.CursorLife > TimeSpan.Zero, "Jobs:IndexReconciliation:CursorLife must be above 0.");
        return services.AddMaintenanceJob<IndexReconciliationJob, IndexReconciliationOptions>(JobNames.IndexReconciliation, "06:00:00");
    }
}
