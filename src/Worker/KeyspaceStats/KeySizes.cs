using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.KeyspaceStats;

/// <summary>Bytes of keys by MEMORY USAGE, pipelined and paid from the budget.</summary>
internal static class KeySizes
{
    /// <summary>Asks for each key.</summary>
    /// <returns>Bytes a key, null for one that is gone; null altogether if the server does not offer the command, which is reported.</returns>
    public static async Task<IReadOnlyList<long?>?> MeasureAsync(
        RedisConnection connection, IReadOnlyList<RedisKey> names, JobContext context, TimeSpan deadline, CancellationToken cancellationToken)
    {
        var sizes = new List<long?>(names.Count);
        foreach (var batch in names.Chunk(context.Budget.BatchSize))
        {
            try
            {
                var replies = await context.Budget.SpendAsync(
                    "memory usage",
                    batch.Length,
                    () => connection.CallAsync(
                        database => Task.WhenAll(batch.Select(name => database.ExecuteAsync("MEMORY", "USAGE", name))), cancellationToken, deadline),
                    cancellationToken);
                sizes.AddRange(replies.Select(reply => reply.IsNull ? null : (long?)(long)reply));
            }
            catch (RedisServerException)
            {
                context.Report.NotAvailable("MEMORY USAGE");
                return null;
            }
        }

        return sizes;
    }
}

/// <summary>The kind of a key as a metric label.</summary>
internal static class KeyKinds
{
    /// <summary>A name that is not ours to the letter.</summary>
    public const string Foreign = "foreign";

    /// <summary>The label of a key's kind, or <see cref="Foreign"/>.</summary>
    public static string Label(RedisKeys keys, RedisKey name) => keys.TryParse((string?)name, out var parsed) ? parsed.Kind.Label() : Foreign;
}
