using System.Collections.Concurrent;
using System.Diagnostics;
using Maintenance.Storage.Memory;
using Maintenance.Storage.RateLimiting;
using Maintenance.Testing;
using Xunit.Abstractions;

namespace Maintenance.Storage.RedisTests.RateLimiting;

/// <summary>Random load of 8 clients on one subject: 30 s on Redis, beside the other test classes, and 5 s in memory.</summary>
public sealed class RateLimitLoadTests(RedisFixture redis, ITestOutputHelper output) : IClassFixture<RedisFixture>
{
    private const int Clients = 8;

    private static readonly RateLimitPolicy Policy = new() { Permits = 300, Period = TimeSpan.FromSeconds(1), Burst = 60 };

    private readonly FixedOptions<RateLimitOptions> options = new(new RateLimitOptions { Policies = { ["load"] = Policy } });

    [Fact]
    public async Task Redis_NeverLetsTooMuchThroughAndHardlyTooLittle_InAnyWindow()
    {
        await using var first = new RedisSide(redis);
        await using var second = new RedisSide(redis);
        await LoadAsync(
            [new RedisRateLimitStore(first.Connection, first.Keys, options), new RedisRateLimitStore(second.Connection, first.Keys, options)],
            TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Memory_NeverLetsTooMuchThroughAndHardlyTooLittle_InAnyWindow()
    {
        using var store = new MemoryRateLimitStore(options, new FixedOptions<MemoryOptions>(new MemoryOptions()), TimeProvider.System);
        await LoadAsync([store], TimeSpan.FromSeconds(5));
    }

    private async Task LoadAsync(IRateLimitStore[] stores, TimeSpan duration)
    {
        var log = new ConcurrentBag<(long At, int Cost, bool Allowed)>();
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            var random = new Random(client);
            while (Stopwatch.GetElapsedTime(started) < duration)
            {
                // Now a crowd, now a pause in which the bucket fills.
                var crowd = random.Next(1, 120);
                for (var i = 0; i < crowd && Stopwatch.GetElapsedTime(started) < duration; i++)
                {
                    var cost = random.Next(1, 4);
                    var result = await stores[client % stores.Length].AcquireAsync(new("load", "subject", cost), CancellationToken.None);
                    log.Add((result.AtMicroseconds, cost, result.IsAllowed));
                    if (random.Next(4) == 0)
                    {
                        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 20)), TimeProvider.System);
                    }
                }

                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 300)), TimeProvider.System);
            }
        })));

        var requests = log.OrderBy(request => request.At).ToList();
        var interval = Policy.Period.TotalMicroseconds / Policy.Permits;
        var burst = Policy.Burst!.Value;

        // In any window: what passed, less what came back meanwhile, is at most the burst.
        double passed = 0, least = double.MaxValue, worst = 0;
        foreach (var (at, cost, _) in requests.Where(request => request.Allowed))
        {
            least = Math.Min(least, passed - (at / interval));
            passed += cost;
            worst = Math.Max(worst, passed - (at / interval) - least);
        }

        worst.ShouldBeLessThanOrEqualTo(burst + 0.001);

        // The same requests through an ideal bucket that refills without rounding.
        double level = burst, should = 0;
        var last = requests[0].At;
        foreach (var (at, cost, _) in requests)
        {
            level = Math.Min(burst, level + ((at - last) / interval));
            last = at;
            if (level >= cost)
            {
                level -= cost;
                should += cost;
            }
        }

        output.WriteLine($"{requests.Count} requests, {passed} permits passed, {should} in an ideal bucket ({passed / should:P2}), fullest window {worst:0.00} of burst {burst}");
        passed.ShouldBeGreaterThanOrEqualTo(should * 0.99);
        requests.Count(request => !request.Allowed).ShouldBeGreaterThan(requests.Count / 20);
    }
}
