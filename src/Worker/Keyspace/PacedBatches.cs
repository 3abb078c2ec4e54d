using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.Keyspace;

/// <summary>
/// One call an item, a batch of them in flight together, each batch paid from the budget. An item that Redis refuses is reported and the rest goes on;
/// a Redis that is gone ends the run at once.
/// </summary>
internal static class PacedBatches
{
    /// <summary>Runs the calls.</summary>
    /// <param name="context">Budget and report of the run.</param>
    /// <param name="items">What to work on.</param>
    /// <param name="call">Sends one item's command or script.</param>
    /// <param name="done">Takes an answer; called one after the other, in the order of the items.</param>
    /// <param name="what">Names the work in an error.</param>
    /// <param name="cancellationToken">Ends the work before the next batch.</param>
    public static async Task ForEachAsync<TItem, TResult>(
        JobContext context,
        IEnumerable<TItem> items,
        Func<TItem, Task<TResult>> call,
        Action<TItem, TResult> done,
        string what,
        CancellationToken cancellationToken)
    {
        foreach (var batch in items.Chunk(context.Budget.BatchSize))
        {
            var answers = await context.Budget.SpendAsync(
                what, batch.Length, () => Task.WhenAll(batch.Select(item => CaptureAsync(call, item))), cancellationToken);
            for (var i = 0; i < batch.Length; i++)
            {
                if (answers[i].Moving)
                {
                    context.Report.Add("keys_moving");
                    context.Report.Warn("Keys were on their way to another node of the cluster for longer than a call may take; they are left for the next run.");
                }
                else if (answers[i].Error is { } error)
                {
                    context.Report.Error($"{what}: {error}");
                }
                else
                {
                    done(batch[i], answers[i].Value!);
                }
            }
        }
    }

    /// <summary>Lets a reply that says that the key is of another type be an answer, so that it does not spoil the batch.</summary>
    public static async Task<T?> UnlessForeignAsync<T>(Task<T> call)
        where T : class
    {
        try
        {
            return await call;
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            return null;
        }
    }

    private static async Task<(TResult? Value, string? Error, bool Moving)> CaptureAsync<TItem, TResult>(Func<TItem, Task<TResult>> call, TItem item)
    {
        try
        {
            return (await call(item), null, false);
        }
        catch (StorageUnavailableException exception) when (exception.Reason == UnavailableReason.Moving)
        {
            return (default, null, true);
        }
        catch (StorageUnavailableException exception) when (exception.Reason == UnavailableReason.OutOfMemory)
        {
            return (default, exception.Message, false);
        }
        catch (RedisServerException exception)
        {
            return (default, exception.Message, false);
        }
    }
}
