using System.Globalization;
using Maintenance.Storage.Histories.Running;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Storage.Histories.Tokens;

/// <summary>A token history that no order explains, and the smallest one found.</summary>
internal sealed record TokenFinding(ulong Seed, TokenHistory Drawn, TokenHistory Shrunk, HistoryResult Result)
{
    public override string ToString() =>
        $"{Result.Violation!.Message}\n\nTo run it again: HISTORIES_SEED={Seed} HISTORIES_COUNT=1\n"
        + $"Shrunk from {Drawn.Steps} to {Shrunk.Steps} steps:\n{Shrunk}\nWhat happened:\n{Result.Trace}";
}

/// <summary>Runs many token histories side by side, on Redis (each lane on a database of its own) or in memory, and shrinks the first that fails.</summary>
/// <param name="server">The server; null for the stores in memory.</param>
/// <param name="plant">What else the stores must be, a planted bug says.</param>
internal sealed class TokenCampaign(RedisServer? server, Func<TokenWorld, TokenWorld>? plant = null)
{
    // The other histories use the first databases of the same server.
    private const int FirstDatabase = 16;
    private const int Lanes = 8;
    private const int MostShrinkRuns = 400;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <summary>Lets no history run freely, so that the same seed gives the same answers.</summary>
    public bool OnlyOrdered { get; init; }

    /// <summary>Histories run so far.</summary>
    public int Run { get; private set; }

    /// <summary>Runs histories from a seed on.</summary>
    /// <returns>The first that failed, shrunk; null if none did.</returns>
    public async Task<TokenFinding?> RunAsync(ulong seed, int count)
    {
        var (next, finished) = (-1, 0);
        var failures = new SortedDictionary<int, (TokenHistory History, HistoryResult Result)>();
        async Task LaneAsync(int lane)
        {
            await using var connection = Connect(FirstDatabase + lane);
            while (Interlocked.Increment(ref next) is var number && number < count)
            {
                lock (failures)
                {
                    if (failures.Count > 0)
                    {
                        return;
                    }
                }

                var history = TokenGenerator.Draw(seed + (ulong)number);
                history = OnlyOrdered ? history with { Ordered = true } : history;
                var result = await RunAsync(history, connection);
                Interlocked.Increment(ref finished);
                if (result.Violation is not null)
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
        var (shrunk, shrunkResult) = await ShrinkAsync(drawn, failed);
        return new TokenFinding(seed + (ulong)first, drawn, shrunk, shrunkResult);
    }

    /// <summary>Runs one history.</summary>
    public async Task<HistoryResult> RunAsync(TokenHistory history)
    {
        await using var connection = Connect(FirstDatabase);
        return await RunAsync(history, connection);
    }

    private RedisConnection? Connect(int database) => server is null ? null : new(
        new RedisOptions { Url = server.Url + string.Create(CultureInfo.InvariantCulture, $"/{database}"), Deadline = Deadline, ConnectTimeout = Deadline },
        TimeProvider.System,
        NullLogger.Instance)
    {
        BeforeCall = TurnScheduler.TurnAsync,
    };

    private async Task<HistoryResult> RunAsync(TokenHistory history, RedisConnection? connection)
    {
        if (connection is not null)
        {
            await connection.CallAsync(database => database.ExecuteAsync("FLUSHDB"), CancellationToken.None);
        }

        await using var world = connection is null ? TokenWorld.InMemory(history) : TokenWorld.OnRedis(connection, history);
        return await TokenRun.RunAsync(history, plant?.Invoke(world) ?? world);
    }

    private async Task<(TokenHistory History, HistoryResult Result)> ShrinkAsync(TokenHistory history, HistoryResult result)
    {
        await using var connection = Connect(FirstDatabase);
        var kind = result.Violation!.Kind;
        var (runs, smaller) = (0, true);
        while (smaller && runs < MostShrinkRuns)
        {
            smaller = false;
            foreach (var candidate in TokenGenerator.Shrink(history).TakeWhile(_ => runs++ < MostShrinkRuns))
            {
                var tried = await RunAsync(candidate, connection);
                if (tried.Violation?.Kind == kind)
                {
                    (history, result, smaller) = (candidate, tried, true);
                    break;
                }
            }
        }

        return (history, result);
    }
}
