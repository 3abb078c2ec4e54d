using Maintenance.Storage.Histories.Running;
using Maintenance.Storage.Redis;
using Maintenance.Testing;

namespace Maintenance.Storage.Histories.Tokens;

/// <summary>A token history that no order explains, and the smallest one found.</summary>
internal sealed record TokenFinding(ulong Seed, TokenHistory Drawn, TokenHistory Shrunk, HistoryResult Result)
{
    public override string ToString() =>
        $"{Result.Violation!.Message}\n\nTo run it again: HISTORIES_SEED={Seed} HISTORIES_COUNT=1\n"
        + $"Shrunk from {Drawn.Steps} to {Shrunk.Steps} steps:\n{Shrunk}\nWhat happened:\n{Result.Trace}";
}

/// <summary>Random histories of tokens, on Redis (each lane on a database of its own) or in memory.</summary>
/// <param name="server">The server; null for the stores in memory.</param>
/// <param name="plant">What else the stores must be, a planted bug says.</param>
internal sealed class TokenCampaign(RedisServer? server, Func<TokenWorld, TokenWorld>? plant = null)
{
    // The other histories use the first databases of the same server.
    private const int FirstDatabase = 16;
    private const int MostShrinkRuns = 400;

    /// <summary>Lets no history run freely, so that the same seed gives the same answers.</summary>
    public bool OnlyOrdered { get; init; }

    /// <summary>Histories run so far.</summary>
    public int Run { get; private set; }

    /// <summary>Runs histories from a seed on.</summary>
    /// <returns>The first that failed, shrunk; null if none did.</returns>
    public async Task<TokenFinding?> RunAsync(ulong seed, int count)
    {
        var search = new HistorySearch<TokenHistory>
        {
            Connect = Connect,
            Draw = drawn => OnlyOrdered ? TokenGenerator.Draw(drawn) with { Ordered = true } : TokenGenerator.Draw(drawn),
            RunOneAsync = RunAsync,
            Shrink = TokenGenerator.Shrink,
            MostShrinkRuns = MostShrinkRuns,
        };
        var found = await search.RunAsync(seed, count);
        Run = search.Run;
        return found is var (number, drawn, shrunk, result) ? new TokenFinding(seed + (ulong)number, drawn, shrunk, result) : null;
    }

    /// <summary>Runs one history.</summary>
    public async Task<HistoryResult> RunAsync(TokenHistory history)
    {
        await using var connection = Connect(lane: 0);
        return await RunAsync(history, connection);
    }

    private RedisConnection? Connect(int lane) => server is null ? null : Campaign.Connect(server, FirstDatabase + lane);

    private async Task<HistoryResult> RunAsync(TokenHistory history, RedisConnection? connection)
    {
        if (connection is not null)
        {
            await connection.CallAsync(database => database.ExecuteAsync("FLUSHDB"), CancellationToken.None);
        }

        await using var world = connection is null ? TokenWorld.InMemory(history) : TokenWorld.OnRedis(connection, history);
        return await TokenRun.RunAsync(history, plant?.Invoke(world) ?? world);
    }
}
