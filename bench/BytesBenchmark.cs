using System.Globalization;
using Maintenance.Storage.Redis;
using StackExchange.Redis;

namespace Maintenance.Bench;

/// <summary>
/// What a session costs in used_memory, in a store of the demo's size. Each kind of key alone is copied into an empty server, so that its hash
/// tables are counted with it, and measured when they have been rehashed: while that goes on there are two of each.
/// </summary>
internal static class BytesBenchmark
{
    private const int SessionsEach = 4;
    private const int Users = 10_000;
    private const int Runs = 5;

    public static async Task RunAsync(string[] arguments)
    {
        _ = arguments;
        var record = new List<double>();
        var index = new List<double>();
        var generation = new List<double>();
        var users = Effort.Users(Users);
        for (var run = 0; run < Effort.Runs(Runs); run++)
        {
            await using var stage = await Stage.StartAsync();
            await stage.FillAsync(users, SessionsEach);
            record.Add(await CostAsync(stage, StateKind.Session) / (users * SessionsEach));
            index.Add(await CostAsync(stage, StateKind.SessionIndex) / (users * SessionsEach));
            generation.Add(await CostAsync(stage, StateKind.Generation) / (users * SessionsEach));
        }

        Console.WriteLine(Statistics.Row("record (at most 360)", record));
        Console.WriteLine(Statistics.Row("share of a 4-member index (100)", index));
        Console.WriteLine(Statistics.Row("share of the generation (40)", generation));
    }

    private static async Task<double> CostAsync(Stage stage, StateKind kind)
    {
        await using var copy = await Stage.StartAsync();
        // Scripts and connections are no part of a session.
        var before = await UsedMemoryAsync(copy, warmUp: true);
        foreach (var chunk in (await KeysAsync(stage, kind)).Chunk(500))
        {
            await CopyAsync(stage, copy, chunk);
        }

        return await UsedMemoryAsync(copy, warmUp: false) - before;
    }

    private static async Task<List<RedisKey>> KeysAsync(Stage stage, StateKind kind)
    {
        var found = new List<RedisKey>();
        var cursor = "0";
        do
        {
            var page = (RedisResult[])(await stage.Connection.CallAsync(d => d.ExecuteAsync("SCAN", cursor, "COUNT", "1000"), default))!;
            cursor = (string)page[0]!;
            found.AddRange(((string[])page[1]!).Where(key => stage.Keys.TryParse(key, out var parsed) && parsed.Kind == kind).Select(key => (RedisKey)key));
        }
        while (cursor != "0");
        return [.. found.Distinct()];
    }

    private static Task<bool> CopyAsync(Stage from, Stage to, RedisKey[] keys) => to.Connection.CallAsync(
        async target =>
        {
            var dumps = await from.Connection.CallAsync(d => Task.WhenAll(keys.Select(key => d.KeyDumpAsync(key))), default);
            await Task.WhenAll(keys.Select((key, i) => target.KeyRestoreAsync(key, dumps[i]!, TimeSpan.FromDays(1))));
            return true;
        },
        default);

    private static async Task<double> UsedMemoryAsync(Stage stage, bool warmUp)
    {
        if (warmUp)
        {
            // The first commands allocate buffers that stay.
            await stage.Connection.CallAsync(d => Task.WhenAll(Enumerable.Range(0, 500).Select(_ => d.ExecuteAsync("TIME"))), default);
        }

        var least = double.MaxValue;
        for (var quiet = 0; quiet < 5;)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            var text = (string)(await stage.Server.ExecuteAsync("INFO", "memory"))!;
            var line = text.Split('\n').First(row => row.StartsWith("used_memory:", StringComparison.Ordinal));
            var used = double.Parse(line["used_memory:".Length..].Trim(), CultureInfo.InvariantCulture);
            quiet = used < least ? 0 : quiet + 1;
            least = Math.Min(least, used);
        }

        return least;
    }
}
