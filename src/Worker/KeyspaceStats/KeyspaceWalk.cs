using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.KeyspaceStats;

/// <summary>The names of every key of the database, page by page, paid from the budget. SCAN may name a key twice.</summary>
internal sealed class KeyspaceWalk(RedisConnection connection, JobContext context, TimeSpan deadline)
{
    /// <summary>Walks.</summary>
    public async IAsyncEnumerable<RedisKey[]> PagesAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cursor = "0";
        do
        {
            var current = cursor;
            var reply = await context.Budget.SpendAsync(
                context.Budget.ScanCount,
                () => connection.CallAsync(database => database.ExecuteAsync("SCAN", current, "COUNT", context.Budget.ScanCount), cancellationToken, deadline),
                cancellationToken);
            if ((RedisResult[]?)reply is not [var next, var names])
            {
                throw new InvalidDataException("SCAN did not answer with a cursor and names.");
            }

            cursor = (string?)next ?? "0";
            yield return (RedisKey[]?)names ?? [];
        }
        while (cursor != "0");
    }
}
