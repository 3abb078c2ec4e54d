using Maintenance.Worker.Keyspace;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.SessionCleanup;

/// <summary>Adds the job.</summary>
public static class SessionCleanupServiceCollectionExtensions
{
    /// <summary>Registers <c>session-cleanup</c>, by default every hour, its options and its metrics. A full Redis does not keep it from running.</summary>
    public static IServiceCollection AddSessionCleanup(this IServiceCollection services)
    {
        services.AddKeyspaceSweep();
        services.AddOptions<SessionCleanupOptions>()
            .Validate(options => Enum.IsDefined(options.MissingTtl), "Jobs:SessionCleanup:MissingTtl must be Repair, Remove or Report.")
            .Validate(options => options.Lives.AllPositive(), "Each of Jobs:SessionCleanup:Lives must be above 0.");
        return services.AddMaintenanceJob<SessionCleanupJob, SessionCleanupOptions>(JobNames.SessionCleanup, "01:00:00", LeaselessRuns.WhenFull);
    }
}
