using Maintenance.Storage.Redis;
using StackExchange.Redis;

namespace Maintenance.Worker.Scheduling;

/// <summary>What a call to Redis can end with although nothing is wrong with the caller.</summary>
internal static class RedisTrouble
{
    /// <summary>Redis did not answer, or refused: no permission, a key of another type, a command that it does not offer.</summary>
    public static bool IsOfRedis(this Exception exception) => exception is StorageUnavailableException or RedisException;

    /// <summary>Whether Redis was full; what frees memory may go on then.</summary>
    public static bool IsOfFullRedis(this Exception exception) =>
        exception is StorageUnavailableException { Reason: UnavailableReason.OutOfMemory };
}
