using Maintenance.Storage.Redis;

namespace Maintenance.Worker.RedisHealth;

/// <summary>What an error says about a node.</summary>
internal static class ProbeFailures
{
    /// <summary>As a failure with its code.</summary>
    public static ProbeFailure Describe(StorageUnavailableException exception)
    {
        var message = exception.Message;
        var code = exception.Reason switch
        {
            _ when exception.CredentialsRefused => HealthReasons.AuthenticationRefused,
            UnavailableReason.Connection => HealthReasons.Unreachable,
            UnavailableReason.Deadline => HealthReasons.NoAnswer,
            UnavailableReason.OutOfMemory => HealthReasons.OutOfMemory,
            _ when message.Contains("LOADING", StringComparison.Ordinal) => HealthReasons.Loading,
            _ when message.Contains("READONLY", StringComparison.Ordinal) => HealthReasons.ReadOnly,
            _ when message.Contains("MISCONF", StringComparison.Ordinal) || message.Contains("NOREPLICAS", StringComparison.Ordinal) => HealthReasons.WritesStopped,
            _ when message.Contains("CLUSTERDOWN", StringComparison.Ordinal) => HealthReasons.ClusterDown,
            _ => HealthReasons.NotServing,
        };
        return new ProbeFailure(code, message);
    }
}
