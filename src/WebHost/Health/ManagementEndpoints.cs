using Maintenance.Prometheus;
using Maintenance.Storage.AspNetCore.Health;
using Maintenance.WebHost.Hosting;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;

namespace Maintenance.WebHost.Health;

/// <summary>What the operator's network asks.</summary>
internal static class ManagementEndpoints
{
    public static void MapManagement(this IEndpointRouteBuilder app)
    {
        app.MapMetrics().OnManagementPort();
        // Alive and started mean that this process answers; only readiness asks Redis and the database.
        app.MapHealthChecks("/healthz/live", new HealthCheckOptions { Predicate = _ => false }).OnManagementPort();
        app.MapHealthChecks("/healthz/startup", new HealthCheckOptions { Predicate = _ => false }).OnManagementPort();
        app.MapHealthChecks("/healthz/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(AuthStorageHealthChecks.ReadyTag) }).OnManagementPort();
        app.MapHealthChecks("/health", new HealthCheckOptions { ResponseWriter = HealthReportWriter.WriteAsync }).OnManagementPort();
    }
}
