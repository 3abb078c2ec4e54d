using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Outage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Maintenance.Storage.AspNetCore.Health;

/// <summary>Adds the health checks of auth storage.</summary>
public static class AuthStorageHealthChecks
{
    /// <summary>Tag of the checks that a readiness probe asks.</summary>
    public const string ReadyTag = "ready";

    /// <summary>
    /// Adds <c>redis</c>: whether Redis answers a read within the deadline; only degraded while this host's memory answers for sessions. And <c>storage</c>: how
    /// this host answers, and whether revocations wait. Tagged <see cref="ReadyTag"/>; not for liveness, because restarting a host
    /// mends no Redis. Needs <c>AddAuthStorage</c>.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="failureStatus">Status when Redis does not answer; default <see cref="HealthStatus.Unhealthy"/>.</param>
    /// <param name="tags">Further tags.</param>
    public static IHealthChecksBuilder AddAuthStorageChecks(
        this IHealthChecksBuilder builder, HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder
            .AddCheck<RedisHealthCheck>(RedisHealthCheck.Name, failureStatus, [ReadyTag, .. tags ?? []])
            .AddCheck<StorageModeHealthCheck>(StorageModeHealthCheck.Name, failureStatus: null, [ReadyTag, .. tags ?? []]);
    }
}
