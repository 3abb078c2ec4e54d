using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.WebHost.Health;

/// <summary>Health in the shapes that clients of the older backends read.</summary>
internal static class AuthHealthEndpoints
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    public static IServiceCollection AddAuthHealth(this IServiceCollection services) => services.AddSingleton<SessionStatistics>();

    public static IEndpointRouteBuilder MapAuthHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/api/auth/health", AuthHealthAsync)
            .OnManagementPort(alsoOnApi: true)
            .RequireRateLimiting(Limits.Health)
            .Produces<AuthHealth>()
            .Produces<AuthHealth>(StatusCodes.Status503ServiceUnavailable)
            .WithSummary("Whether Redis is connected, and counts as the worker last took them.");
        app.MapGet("/health/redis", RedisHealthAsync)
            .OnManagementPort(alsoOnApi: true)
            .RequireRateLimiting(Limits.Health)
            .Produces<RedisHealth>()
            .Produces<RedisHealth>(StatusCodes.Status503ServiceUnavailable)
            .WithSummary("200 when Redis answers a read in time, else 503.");
        return app;
    }

    private static async Task<IResult> AuthHealthAsync(
        HttpContext context, SessionStatistics statistics, IOptions<RedisOptions> redis, HealthCheckService checks, CancellationToken stop)
    {
        if (!redis.Value.Enabled)
        {
            return TypedResults.Ok(new AuthHealth("OK", "disabled", null));
        }

        var connected = (await CheckAsync(checks, stop)).Status == HealthStatus.Healthy;
        SessionStats? stats = null;
        try
        {
            stats = connected ? await statistics.ReadAsync(stop) : null;
        }
        catch (Exception exception) when (exception is StorageUnavailableException or RedisServerException)
        {
            connected = false;
        }

        var health = new AuthHealth(connected ? "OK" : "ERROR", connected ? "connected" : "disconnected", stats);
        return Answer(context, health, connected);
    }

    private static async Task<IResult> RedisHealthAsync(HttpContext context, HealthCheckService checks, TimeProvider clock, CancellationToken stop)
    {
        var entry = await CheckAsync(checks, stop);
        var healthy = entry.Status == HealthStatus.Healthy;
        return Answer(
            context,
            new RedisHealth(
                healthy ? "healthy" : "unhealthy",
                entry.Data.TryGetValue("read_milliseconds", out var latency) ? (double)latency : null,
                healthy ? null : "Redis does not answer.",
                clock.GetUtcNow()),
            healthy);
    }

    private static JsonHttpResult<T> Answer<T>(HttpContext context, T health, bool isHealthy)
    {
        if (!isHealthy)
        {
            context.Response.Headers.RetryAfter = Problems.Seconds(RetryAfter);
        }

        return TypedResults.Json(health, statusCode: isHealthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<HealthReportEntry> CheckAsync(HealthCheckService checks, CancellationToken cancellationToken)
    {
        var report = await checks.CheckHealthAsync(check => check.Name == RedisHealthCheck.Name, cancellationToken);
        return report.Entries[RedisHealthCheck.Name];
    }
}

/// <summary>Health of the host as seed clients read it.</summary>
/// <param name="Status"><c>OK</c> or <c>ERROR</c>.</param>
/// <param name="Redis"><c>connected</c>, <c>disconnected</c>, or <c>disabled</c> when everything is kept in memory.</param>
/// <param name="SessionStats">Counts as the worker last took them; null when there are none.</param>
internal sealed record AuthHealth(string Status, string Redis, SessionStats? SessionStats);

/// <summary>Health of Redis.</summary>
/// <param name="Status"><c>healthy</c> or <c>unhealthy</c>.</param>
/// <param name="LatencyMs">How long a read took.</param>
/// <param name="Error">What is wrong.</param>
/// <param name="Timestamp">When it was asked.</param>
internal sealed record RedisHealth(string Status, double? LatencyMs, string? Error, DateTimeOffset Timestamp);
