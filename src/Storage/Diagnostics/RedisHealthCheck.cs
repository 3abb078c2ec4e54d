using Maintenance.Storage.Redis;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Maintenance.Storage.Diagnostics;

/// <summary>Whether Redis answers a PING within the deadline. For readiness, never for liveness: restarting a host mends no Redis.</summary>
public sealed class RedisHealthCheck(RedisConnection connection, TimeProvider timeProvider) : IHealthCheck
{
    /// <summary>Name under which hosts register it.</summary>
    public const string Name = "redis";

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var started = timeProvider.GetTimestamp();
        try
        {
            await connection.CallAsync(database => database.ExecuteAsync("PING"), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or StackExchange.Redis.RedisServerException)
        {
            return new HealthCheckResult(context?.Registration.FailureStatus ?? HealthStatus.Unhealthy, exception.Message);
        }

        var milliseconds = timeProvider.GetElapsedTime(started).TotalMilliseconds;
        return HealthCheckResult.Healthy(
            $"{connection.Endpoint} answered",
            new Dictionary<string, object>(StringComparer.Ordinal) { ["ping_milliseconds"] = Math.Round(milliseconds, 3) });
    }
}
