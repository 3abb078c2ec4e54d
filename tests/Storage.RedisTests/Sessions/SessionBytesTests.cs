using System.Globalization;
using System.Net;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using StackExchange.Redis;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>
/// What a session costs in <c>used_memory</c> of a real Redis. Each kind of key alone is copied into an empty server, so that its hash tables are
/// counted with it, and measured when they have come to rest: while they are rehashed there are two of each. <c>./dev bench bytes</c> measures the same in
/// a larger store.
/// </summary>
public sealed class SessionBytesTests
{
    // As in the demo. In a smaller store what the server allocates once weighs too much.
    private const int Users = 10_000;
    private const int SessionsEach = 4;

    [Fact]
    public async Task ReferenceSession_TakesAtMost360BytesARecord_100OfAnIndexOfFour_And40OfItsGeneration()
    {
        await using var server = await RedisServer.StartAsync();
        await using var harness = new StoreHarness(server.Url, deadline: TimeSpan.FromSeconds(60));
        await Parallel.ForAsync(0, Users, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (_, token) =>
        {
            var session = new NewSession
            {
                UserId = StoreHarness.NewUserId(),
                IpAddress = IPAddress.Parse("203.0.113.195"),
                UserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML) Chrome/142.0 Safari/5"[..80],
                DeviceName = "Kitchen tablet, blue",
            };
            for (var i = 0; i < SessionsEach; i++)
            {
                await harness.Store.CreateAsync(session, token);
            }
        });

        (await CostAsync(server, harness, StateKind.Session)).ShouldBeInRange(200, 360);
        (await CostAsync(server, harness, StateKind.SessionIndex)).ShouldBeInRange(40, 100);
        (await CostAsync(server, harness, StateKind.Generation)).ShouldBeInRange(15, 40);
    }

    private static async Task<double> CostAsync(RedisServer server, StoreHarness from, StateKind kind)
    {
        await using var empty = await RedisServer.StartAsync();
        await using var to = new StoreHarness(empty.Url, deadline: TimeSpan.FromSeconds(60));
        // The first commands allocate buffers that stay.
        await to.Connection.CallAsync(database => Task.WhenAll(Enumerable.Range(0, 500).Select(_ => database.ExecuteAsync("TIME"))), CancellationToken.None);
        var before = await UsedMemoryAsync(empty);
        var keys = (await server.KeysAsync()).Where(key => from.Keys.TryParse(key, out var parsed) && parsed.Kind == kind).Select(key => (RedisKey)key).ToArray();
        keys.Length.ShouldBe(kind == StateKind.Session ? Users * SessionsEach : Users);
        foreach (var chunk in keys.Chunk(500))
        {
            var dumps = await from.Connection.CallAsync(database => Task.WhenAll(chunk.Select(key => database.KeyDumpAsync(key))), CancellationToken.None);
            await to.Connection.CallAsync(
                async database =>
                {
                    await Task.WhenAll(chunk.Select((key, i) => database.KeyRestoreAsync(key, dumps[i]!, TimeSpan.FromDays(1))));
                    return true;
                },
                CancellationToken.None);
        }

        return (double)(await UsedMemoryAsync(empty) - before) / (Users * SessionsEach);
    }

    // The least of a series that has stopped falling: the server frees buffers and finishes its tables a little later.
    private static async Task<long> UsedMemoryAsync(RedisServer server)
    {
        var (least, quiet) = (long.MaxValue, 0);
        await Eventually.TrueAsync(
            async () =>
            {
                var info = await server.StringAsync("INFO", "memory");
                var line = info!.Split('\n').First(row => row.StartsWith("used_memory:", StringComparison.Ordinal));
                var used = long.Parse(line["used_memory:".Length..].Trim(), CultureInfo.InvariantCulture);
                quiet = used < least ? 0 : quiet + 1;
                least = Math.Min(least, used);
                return quiet >= 20;
            },
            TimeSpan.FromSeconds(60));
        return least;
    }
}
