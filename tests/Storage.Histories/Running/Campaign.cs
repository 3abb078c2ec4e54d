using System.Globalization;
using Maintenance.Storage.Histories.Generation;
using Maintenance.Storage.Histories.Truth;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Storage.Histories.Running;

/// <summary>A history that broke a promise, and the smallest one found that breaks the same.</summary>
internal sealed record Finding(ulong Seed, int Number, History Drawn, History Shrunk, HistoryResult Result)
{
    public ViolationKind Kind => Result.Violation!.Kind;

    public override string ToString() =>
        $"{Result.Violation!.Message}\n\nHistory {Number}. To run it again: HISTORIES_SEED={Seed} HISTORIES_COUNT=1\n"
        + $"Shrunk from {Drawn.Steps} to {Shrunk.Steps} steps:\n{Shrunk}\nWhat happened:\n{Result.Trace}";
}

/// <summary>Runs many histories side by side, each lane on a database of its own, and shrinks the first that fails.</summary>
internal sealed class Campaign(RedisServer server, Product product)
{
    private const int Lanes = 8;
    public int MostShrinkRuns { get; init; } = 600;
    // A history that runs freely fails only when the clients happen to meet again.
    private const int TriesOfFreeHistory = 5;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <summary>Lets no history run freely, so that the same seed gives the same answers.</summary>
    public bool OnlyOrdered { get; init; }

    /// <summary>Violations to look for; empty for any.</summary>
    public IReadOnlyList<ViolationKind> Wanted { get; init; } = [];

    /// <summary>Histories run so far.</summary>
    public int Run { get; private set; }

    /// <summary>Runs <paramref name="count"/> histories, the first drawn from the seed itself, the next from seed + 1, and so on.</summary>
    /// <returns>The first that failed, shrunk; null if none did.</returns>
    public async Task<Finding?> RunAsync(ulong seed, int count)
    {
        var next = -1;
        var failures = new SortedDictionary<int, (History History, HistoryResult Result)>();
        var finished = 0;
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

                var history = HistoryGenerator.Draw(seed + (ulong)number);
                history = OnlyOrdered ? history with { Ordered = true } : history;
                var result = await RunAsync(history, connection);
                Interlocked.Increment(ref finished);
                if (result.Violation is { } violation && (Wanted.Count == 0 || Wanted.Contains(violation.Kind)))
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

        var (first, failure) = failures.First();
        await using var shrinking = Connect(database: 0);
        var (shrunk, shrunkResult) = await ShrinkAsync(failure.History, failure.Result, shrinking);
        return new Finding(seed + (ulong)first, first + 1, failure.History, shrunk, shrunkResult);
    }

    /// <summary>Runs one history.</summary>
    public async Task<HistoryResult> RunAsync(History history)
    {
        await using var connection = Connect(database: 0);
        return await RunAsync(history, connection);
    }

    private RedisConnection Connect(int database) => new(
        new RedisOptions { Url = server.Url + string.Create(CultureInfo.InvariantCulture, $"/{database}"), Deadline = Deadline, ConnectTimeout = Deadline },
        TimeProvider.System,
        NullLogger.Instance)
    {
        BeforeCall = TurnScheduler.TurnAsync,
    };

    private async Task<HistoryResult> RunAsync(History history, RedisConnection connection)
    {
        await connection.CallAsync(database => database.ExecuteAsync("FLUSHDB"), CancellationToken.None);
        return await HistoryRunner.RunAsync(history, product, connection);
    }

    private async Task<(History History, HistoryResult Result)> ShrinkAsync(History history, HistoryResult result, RedisConnection connection)
    {
        var kind = result.Violation!.Kind;
        var runs = 0;
        var smaller = true;
        while (smaller && runs < MostShrinkRuns)
        {
            smaller = false;
            foreach (var candidate in HistoryShrinker.Shrink(history))
            {
                HistoryResult? failed = null;
                for (var i = 0; i < (history.Ordered ? 1 : TriesOfFreeHistory) && failed is null && runs < MostShrinkRuns; i++)
                {
                    runs++;
                    var tried = await RunAsync(candidate, connection);
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
