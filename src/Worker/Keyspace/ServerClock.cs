using StackExchange.Redis;

namespace Maintenance.Worker.Keyspace;

/// <summary>Redis's own clock, the only one that decides: hosts' clocks differ.</summary>
internal static class ServerClock
{
    /// <summary>Milliseconds since 1970, read in the same flush as what it is compared with.</summary>
    public static async Task<long> NowAsync(IDatabaseAsync database)
    {
        var reply = (RedisResult[]?)await database.ExecuteAsync("TIME") ?? throw new InvalidDataException("TIME answered with nothing.");
        return ((long)reply[0] * 1000) + ((long)reply[1] / 1000);
    }
}
