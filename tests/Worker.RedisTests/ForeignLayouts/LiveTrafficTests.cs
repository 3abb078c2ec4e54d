using System.Collections.Concurrent;
using Maintenance.Testing;

namespace Maintenance.Worker.RedisTests.ForeignLayouts;

/// <summary>A program that writes one key after the other, against passes in a loop without any grace.</summary>
public sealed class LiveTrafficTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    // On a machine that stands still it takes longer.
    private const int Least = 10;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Repair_LosesNoLiveSession_AndLeavesNoneBehind()
    {
        await redis.Server.FlushAllAsync();
        var program = new ExpressProgram(redis.Server.ExecuteRawAsync);
        await using var harness = new ForeignHarness(redis.Server, program, mostSessions: 1_000_000);
        var live = new ConcurrentDictionary<(string User, string Session), bool>();
        using var ends = new CancellationTokenSource(Duration);
        var clients = Enumerable.Range(0, 4).Select(number => Task.Run(async () =>
        {
            var random = new Random(number);
            while (!ends.IsCancellationRequested || live.Count <= Least)
            {
                var user = $"u{random.Next(10)}";
                live[(user, await program.LogInAsync(user))] = true;
                if (random.Next(3) > 0 && live.Keys.FirstOrDefault(each => each.GetHashCode() % 4 == number) is { User: not null } old && live.TryRemove(old, out _))
                {
                    await program.LogOutAsync(old.User, old.Session);
                }
            }
        })).ToList();
        var mended = 0L;
        while (!ends.IsCancellationRequested)
        {
            mended += harness.Mended((await harness.RunAsync()).Report);
        }

        await Task.WhenAll(clients);
        live.Count.ShouldBeGreaterThan(Least);
        foreach (var (user, session) in live.Keys)
        {
            (await program.IsListedAsync(user, session)).ShouldBeTrue($"{user} {session}; {mended} mended");
        }

        await harness.RunAsync();
        await harness.RunAsync();
        var (_, found) = await harness.RunAsync();
        (found.Dangling, found.Missing, found.Sessions).ShouldBe((0, 0, live.Count));
    }
}
