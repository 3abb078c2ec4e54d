using Maintenance.Worker.Alerting;

namespace Maintenance.Worker.RedisHealth;

/// <summary>What to read when a node is not healthy.</summary>
internal static class HealthRunbooks
{
    /// <summary>The runbook of the first of the most urgent reasons; there is at least one.</summary>
    public static string Of(IEnumerable<HealthReason> reasons) => Of(reasons.MaxBy(reason => reason.Status)!.Code);

    /// <summary>The runbook of a reason's code.</summary>
    public static string Of(string code) => code switch
    {
        HealthReasons.Unreachable or HealthReasons.NoAnswer or HealthReasons.AuthenticationRefused => AlertRunbooks.RedisDown,
        HealthReasons.OutOfMemory or HealthReasons.MemoryHigh => AlertRunbooks.MemoryHigh,
        HealthReasons.SlowPing or HealthReasons.SlowCommands => AlertRunbooks.ProbeSlow,
        HealthReasons.UnsafePolicy => AlertRunbooks.UnsafePolicy,
        HealthReasons.Evictions => AlertRunbooks.Evictions,
        HealthReasons.WritesStopped or HealthReasons.PersistenceFailing => AlertRunbooks.PersistenceFailing,
        HealthReasons.ReplicaLinkDown or HealthReasons.ReplicaLag => AlertRunbooks.ReplicationLag,
        HealthReasons.ReplicasMissing => AlertRunbooks.ReplicasFewer,
        _ => AlertRunbooks.RedisUnhealthy,
    };
}
