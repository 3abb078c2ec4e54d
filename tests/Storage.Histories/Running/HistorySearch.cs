using Maintenance.Storage.Histories.Truth;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Histories.Running;

/// <summary>Runs many random histories side by side, each lane on a connection of its own, and makes the first that fails smaller.</summary>
/// <typeparam name="T">A history.</typeparam>
internal sealed class HistorySearch<T>
    where T : notnull
{
    private const int Lanes = 8;

    /// <summary>Opens the connection of a lane; null: the histories need none.</summary>
    public required Func<int, RedisConnection?> Connect { get; init; }

    /// <summary>Draws a history from a seed.</summary>
    public required Func<ulong, T> Draw { get; init; }

    /// <summary>Runs one.</summary>
    public required Func<T, RedisConnection?, Task<HistoryResult>> RunOneAsync { get; init; }

    /// <summary>Smaller histories, the most promising first.</summary>
    public required Func<T, IEnumerable<T>> Shrink { get; init; }

    /// <summary>Most runs for the sake of a smaller one.</summary>
    public required int MostShrinkRuns { get; init; }

    /// <summary>Whether a violation is one of those that are looked for.</summary>
    public Func<ViolationException, bool> IsWanted { get; init; } = _ => true;

    /// <summary>How often a history is run before it counts as one that does not fail.</summary>
    public Func<T, int> Tries { get; init; } = _ => 1;

    /// <summary>Histories run so far, without those that shrink.</summary>
    public int Run { get; private set; }

    /// <summary>Runs <paramref name="count"/> histories, the first drawn from the seed itself, the next from seed + 1, and so on.</summary>
    /// <returns>The first that failed, counted from 0, and the smallest found that fails alike; null if none did.</returns>
    public async Task<(int Number, T Drawn, T Shrunk, HistoryResult Result)?> RunAsync(ulong seed, int count)
    {
        var (next, finished) = (-1, 0);
        var failures = new SortedDictionary<int, (T History, HistoryResult Result)>();
        async Task LaneAsync(int lane)
        {
            await using var connection = Connect(lane);
            while (Interlocked.Increment(ref next) is var number && number < count)
            {
                lock (failures)
                {
                    if (failures.Count > 0)
                    {
                        return;
                    }
                }

                var history = Draw(seed + (ulong)number);
                var result = await RunOneAsync(history, connection);
                Interlocked.Increment(ref finished);
                if (result.Violation is { } violation && IsWanted(violation))
                {
                    lock (failures)
                    {
                        failures.Add(number, (history, result));
                    }
                }
            }
        }

        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => Task.Run(() => LaneAsync(lane))));
        Run = finished;
        if (failures.Count == 0)
        {
            return null;
        }

        var (first, (drawn, failed)) = failures.First();
        await using var shrinking = Connect(0);
        var (shrunk, smallest) = await ShrinkAsync(drawn, failed, shrinking);
        return (first, drawn, shrunk, smallest);
    }

    private async Task<(T History, HistoryResult Result)> ShrinkAsync(T history, HistoryResult result, RedisConnection? connection)
    {
        var kind = result.Violation!.Kind;
        var (runs, smaller) = (0, true);
        while (smaller && runs < MostShrinkRuns)
        {
            smaller = false;
            foreach (var candidate in Shrink(history))
            {
                HistoryResult? failed = null;
                for (var i = 0; i < Tries(history) && failed is null && runs < MostShrinkRuns; i++)
                {
                    runs++;
                    var tried = await RunOneAsync(candidate, connection);
                    failed = tried.Violation?.Kind == kind ? tried : null;
                }

                if (failed is not null)
                {
                    (history, result, smaller) = (candidate, failed, true);
                    break;
                }
            }
        }

        return (history, result);
    }
}
