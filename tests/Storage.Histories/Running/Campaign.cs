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

/// <summary>Random histories of sessions, each lane on a database of its own.</summary>
internal sealed class Campaign(RedisServer server, Product product)
{
    private const int MostShrinkRuns = 600;

    // A history that runs freely fails only when the clients happen to meet again.
    private const int TriesOfFreeHistory = 5;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>Lets no history run freely, so that the same seed gives the same answers.</summary>
    public bool OnlyOrdered { get; init; }

    /// <summary>Violations to look for; empty for any.</summary>
    public IReadOnlyList<ViolationKind> Wanted { get; init; } = [];

    /// <summary>Histories run so far.</summary>
    public int Run { get; private set; }

    /// <summary>Runs histories from a seed on.</summary>
    /// <returns>The first that failed, shrunk; null if none did.</returns>
    public async Task<Finding?> RunAsync(ulong seed, int count)
    {
        var search = new HistorySearch<History>
        {
            Connect = lane => Connect(server, lane),
            Draw = drawn => OnlyOrdered ? HistoryGenerator.Draw(drawn) with { Ordered = true } : HistoryGenerator.Draw(drawn),
            RunOneAsync = (history, connection) => RunAsync(history, connection!),
            Shrink = HistoryShrinker.Shrink,
            Tries = history => history.Ordered ? 1 : TriesOfFreeHistory,
            MostShrinkRuns = MostShrinkRuns,
            IsWanted = violation => Wanted.Count == 0 || Wanted.Contains(violation.Kind),
        };
        var found = await search.RunAsync(seed, count);
        Run = search.Run;
        return found is var (number, drawn, shrunk, result) ? new Finding(seed + (ulong)number, number + 1, drawn, shrunk, result) : null;
    }

    /// <summary>Runs one history.</summary>
    public async Task<HistoryResult> RunAsync(History history)
    {
        await using var connection = Connect(server, database: 0);
        return await RunAsync(history, connection);
    }

    /// <summary>A connection to a database of the server, whose calls take turns.</summary>
    internal static RedisConnection Connect(RedisServer server, int database) => new(
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
}
