using System.Text.Json;
using Maintenance.Worker.Scheduling;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Maintenance.Worker.Status;

/// <summary>The probes of an orchestrator, and every check for a person.</summary>
internal static class HealthEndpoints
{
    /// <summary>Checks that decide whether this replica is ready.</summary>
    public const string ReadyTag = "ready";

    public static void MapHealth(this WebApplication app)
    {
        // Liveness never depends on Redis: restarting the worker mends no Redis.
        app.MapGet("/healthz/live", () => TypedResults.Text("live"));
        app.MapGet("/healthz/startup", (IHostApplicationLifetime lifetime) => lifetime.ApplicationStarted.IsCancellationRequested
            ? TypedResults.Text("started")
            : TypedResults.Text("starting", statusCode: StatusCodes.Status503ServiceUnavailable));
        app.MapHealthChecks("/healthz/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(ReadyTag) });
        app.MapHealthChecks("/health", new HealthCheckOptions { ResponseWriter = WriteAsync });
    }

    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(
            JsonSerializer.Serialize(
                new
                {
                    Status = Text(report.Status),
                    Checks = report.Entries.ToDictionary(
                        entry => entry.Key,
                        entry => new { Status = Text(entry.Value.Status), entry.Value.Description },
                        StringComparer.Ordinal),
                },
                JobResultJson.Options),
            context.RequestAborted);
    }

    private static string Text(HealthStatus status) => status.ToString().ToLowerInvariant();
}
