using Maintenance.Worker.Alerting;
using Maintenance.Worker.IndexReconciliation;
using Maintenance.Worker.KeyspaceStats;
using Maintenance.Worker.MemoryAlerts;
using Maintenance.Worker.RedisHealth;
using Maintenance.Worker.SessionCleanup;

namespace Maintenance.Worker;

/// <summary>Every job of the worker; each folder plugs its own in.</summary>
internal static class WorkerJobs
{
    public static IServiceCollection AddJobs(this IServiceCollection services) => services
        .AddRedisHealth()
        .AddSessionCleanup()
        .AddIndexReconciliation()
        .AddMemoryAlerts()
        .AddKeyspaceStats()
        .AddAlerting();
}
