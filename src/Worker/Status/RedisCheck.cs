using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Maintenance.Worker.Status;

/// <summary>Asks Redis now. What its condition is beyond answering is the business of the job <c>redis-health</c>.</summary>
internal sealed class RedisCheck(RedisConnection connection, TimeProvider timeProvider) : IHealthCheck
{
    public const string Name = "redis";

    // Shorter than a probe's usual patience of one second.
    private static readonly TimeSpan Deadline = TimeSpan.FromMilliseconds(800);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var started = timeProvider.GetTimestamp();
        try
        {
            await connection.CallAsync(database => database.ExecuteAsync("PING"), cancellationToken, Deadline);
            return HealthCheckResult.Healthy(
                $"{connection.Endpoint} answered in {timeProvider.GetElapsedTime(started).TotalMilliseconds:0.#} ms.");
        }
        catch (Exception exception) when (exception is StorageUnavailableException or StackExchange.Redis.RedisServerException)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
    }
}

/// <summary>Says that jobs are paused, so that nobody wonders. A pause is wanted, so it is not unhealthy.</summary>
internal sealed class PauseCheck(PauseState pause) : IHealthCheck
{
    public const string Name = "pause";

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            return await pause.GetAsync(cancellationToken) is { } paused
                ? HealthCheckResult.Degraded($"All jobs are {paused.Reason}.")
                : HealthCheckResult.Healthy("Not paused.");
        }
        catch (StorageUnavailableException exception)
        {
            return HealthCheckResult.Degraded($"Not known: {exception.Message}");
        }
    }
}
