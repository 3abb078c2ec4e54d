using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Maintenance.Storage.Diagnostics;

/// <summary>
/// Whether Redis answers a read within the deadline. A read and not a PING, because a loading server, a cluster that is down and a replica without
/// its primary may answer PING. For readiness, never for liveness: restarting a host mends no Redis.
/// </summary>
public sealed class RedisHealthCheck(
    RedisConnection connection, RedisKeys keys, TimeProvider timeProvider, StorageSwitch mode, OutageOptions outage) : IHealthCheck
{
    /// <summary>Name under which hosts register it.</summary>
    public const string Name = "redis";

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (mode.Mode == StorageMode.Memory)
        {
            return HealthCheckResult.Healthy("not used; state is in this host's memory");
        }

        // Named like a session, so that any ACL that lets the host work lets it ask; it never exists.
        var key = keys.SessionsOf(UserReference.Of("readiness"));
        var started = timeProvider.GetTimestamp();
        try
        {
            await connection.CallAsync(database => database.KeyExistsAsync(key), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or StackExchange.Redis.RedisServerException)
        {
            // A host that can answer without Redis must go on being asked.
            return mode.FallsBack(outage.Sessions)
                ? HealthCheckResult.Degraded(exception.Message)
                : new HealthCheckResult(context?.Registration.FailureStatus ?? HealthStatus.Unhealthy, exception.Message);
        }

        var milliseconds = timeProvider.GetElapsedTime(started).TotalMilliseconds;
        return HealthCheckResult.Healthy(
            $"{connection.Endpoint} answered",
            new Dictionary<string, object>(StringComparer.Ordinal) { ["read_milliseconds"] = Math.Round(milliseconds, 3) });
    }
}
