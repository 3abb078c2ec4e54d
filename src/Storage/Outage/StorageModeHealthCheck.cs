using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Maintenance.Storage.Outage;

/// <summary>How this host answers: healthy with Redis or with memory by choice, degraded while Redis is away or revocations wait for it.</summary>
internal sealed class StorageModeHealthCheck(StorageSwitch mode, PendingRevocations pending, OutageOptions options) : IHealthCheck
{
    /// <summary>Name under which hosts register it.</summary>
    public const string Name = "storage";

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var data = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["mode"] = mode.IsWithoutRedis ? "memory" : "redis",
            ["journal_entries"] = pending.Count,
        };
        var waiting = pending.Count > 0 ? $"{pending.Count} revocations wait to be carried out in Redis" : null;
        if (mode.IsRedisAway)
        {
            var policy = mode.FallsBack(options.Sessions) ? "this host's memory answers for sessions" : "sessions are denied";
            return Task.FromResult(HealthCheckResult.Degraded(string.Join("; ", new[] { $"Redis is away: {mode.Reason}", policy, waiting }.OfType<string>()), data: data));
        }

        return Task.FromResult(waiting is not null
            ? HealthCheckResult.Degraded(waiting, data: data)
            : HealthCheckResult.Healthy(mode.IsWithoutRedis ? "state is in this host's memory" : "state is in Redis", data));
    }
}
