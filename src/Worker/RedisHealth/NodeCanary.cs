using Maintenance.Storage.Redis;
using StackExchange.Redis;

namespace Maintenance.Worker.RedisHealth;

/// <summary>A key that is written, read and deleted: what hosts do all day.</summary>
internal sealed class NodeCanary(RedisNode node, RedisKeys keys, TimeProvider timeProvider)
{
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(60);

    /// <summary>A name that no other probe has; of a cluster: in a slot that this node serves.</summary>
    public string Key()
    {
        string key;
        do
        {
            key = keys.Maintenance($"canary:{Guid.NewGuid():N}");
        }
        while (node.Member is { Slots: { Count: > 0 } slots } && !slots.Any(range => range.Contains(HashSlot.Of(key))));
        return key;
    }

    /// <summary>Writes, reads and deletes.</summary>
    /// <param name="connection">To the node.</param>
    /// <param name="role">What the node says that it is.</param>
    /// <param name="unavailable">Takes in what the server refuses.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StorageUnavailableException">The node did not answer.</exception>
    public async Task<CanaryFigures> RunAsync(RedisConnection connection, string? role, List<string> unavailable, CancellationToken cancellationToken)
    {
        if (role == "slave")
        {
            // The client sends no write to a replica, and calls that a lost connection.
            return new CanaryFigures { Refused = new ProbeFailure(HealthReasons.ReadOnly, "It is a replica, so it takes no writes.") };
        }

        var key = Key();
        var value = Guid.NewGuid().ToString("N");
        var canary = new CanaryFigures();
        try
        {
            var started = timeProvider.GetTimestamp();
            await node.ExecuteAsync(connection, "SET", [key, value, "PX", (long)Life.TotalMilliseconds], cancellationToken);
            canary = canary with { WriteSeconds = timeProvider.GetElapsedTime(started).TotalSeconds };
            started = timeProvider.GetTimestamp();
            var read = (string?)await node.ExecuteAsync(connection, "GET", [key], cancellationToken);
            canary = canary with { ReadSeconds = timeProvider.GetElapsedTime(started).TotalSeconds };
            if (read != value)
            {
                canary = canary with { Refused = new ProbeFailure(HealthReasons.CanaryLost, "A key that was just written was not there, or held something else.") };
            }

            await node.ExecuteAsync(connection, "DEL", [key], cancellationToken);
        }
        catch (StorageUnavailableException exception) when (exception.Reason is UnavailableReason.NotServing or UnavailableReason.OutOfMemory)
        {
            canary = canary with { Refused = ProbeFailures.Describe(exception) };
        }
        catch (StorageUnavailableException exception) when (exception.Reason == UnavailableReason.Moving)
        {
            // The slot has just been given away; the next probe writes to another.
        }
        catch (RedisServerException exception)
        {
            unavailable.Add("canary (SET, GET, DEL)");
            canary = canary with { Refused = new ProbeFailure(HealthReasons.CanaryRefused, exception.Message) };
        }

        return canary;
    }
}
