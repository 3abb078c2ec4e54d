using Maintenance.Worker.ForeignLayouts;
using Maintenance.Worker.Keyspace;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>Adds the job.</summary>
public static class IndexReconciliationServiceCollectionExtensions
{
    /// <summary>Registers <c>index-reconciliation</c>, by default every 6 h, its options, its metrics, and the watch that asks for a pass after a failover.</summary>
    public static IServiceCollection AddIndexReconciliation(this IServiceCollection services)
    {
        services.AddKeyspaceSweep();
        services.AddForeignLayouts();
        services.AddSingleton<IJobResultObserver, IndexReconciliationMetrics>();
        services.AddSingleton<LatestSnapshot<IndexReconciliationSnapshot>>();
        services.AddHostedService(provider => new FailoverWatch(
            provider.GetRequiredService<LatestSnapshot<RedisHealthSnapshot>>(),
            provider.GetRequiredService<LatestSnapshot<IndexReconciliationSnapshot>>(),
            async token =>
                (await provider.GetRequiredService<JobRunner>().BeginAsync(new RunRequest(JobNames.IndexReconciliation), token)).Refusal == RunRefusal.None,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<FailoverWatch>>()));
        services.AddOptions<IndexReconciliationOptions>()
            .Validate(options => options.MaxSessionsInMemory > 0, "Jobs:IndexReconciliation:MaxSessionsInMemory must be above 0.")
            .Validate(options => options.CursorLife > TimeSpan.Zero, "Jobs:IndexReconciliation:CursorLife must be above 0.");
        return services.AddMaintenanceJob<IndexReconciliationJob, IndexReconciliationOptions>(JobNames.IndexReconciliation, "06:00:00");
    }
}
