using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using StackExchange.Redis;

namespace Maintenance.Storage.RedisTests.RateLimiting;

/// <summary>The script and the in-memory arithmetic, step by step on a clock that the test moves.</summary>
public sealed class RateCellComparisonTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private const long Second = 1_000_000;

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 3)]
    [InlineData(4, 1)]
    public async Task Script_AnswersAsTheInMemoryCellDoes(int seed, int threshold)
    {
        await using var side = new RedisSide(redis);
        var random = new Random(seed);
        var acquire = OnAGivenClock("acquire", 8);
        var refund = OnAGivenClock("refund", 4);
        var limit = new RateNumbers(10 * Second, 5, threshold, 30 * Second, 400 * Second, 300 * Second);
        RateCell? cell = null;
        (RateCell? Cell, long Ends) mortal = (null, 0);
        var now = 1_800_000_000 * Second;
        long chargedAt = 0;
        var seen = new HashSet<RateLimitDecision>();
        for (var step = 0; step < 1500; step++)
        {
            now += random.NextInt64(random.Next(10) switch { 0 => 1000 * Second, < 4 => 30 * Second, _ => Second / 10 });
            var context = $"seed {seed} step {step}";
            if (random.Next(8) == 0 && cell is { } charged)
            {
                var cost = random.Next(1, 4);
                var given = (int)await EvaluateAsync(side, refund, [cost, limit.Interval, chargedAt], now);
                var after = charged.Refund(limit, cost, chargedAt, now);
                given.ShouldBe(after is null ? 0 : 1, context);
                cell = after ?? cell;
                mortal = (mortal.Ends > now ? mortal.Cell?.Refund(limit, cost, chargedAt, now) ?? mortal.Cell : null, mortal.Ends);
                continue;
            }

            var asked = random.Next(0, 4);
            var reply = ClientCompat.Items(await EvaluateAsync(
                side, acquire, [asked, limit.Interval, limit.Burst, limit.Threshold, limit.FirstBlock, limit.LongestBlock, limit.Decay], now));
            var (answer, write) = RateCell.Acquire(cell, limit, asked, now);
            var (mortalAnswer, mortalWrite) = RateCell.Acquire(mortal.Ends > now ? mortal.Cell : null, limit, asked, now);

            new RateAnswer((RateLimitDecision)(int)reply[0], (long)reply[1], (long)reply[2], (long)reply[3], (long)reply[4]).ShouldBe(answer, context);
            // What a cell's life lets go of changes no answer.
            mortalAnswer.ShouldBe(answer, context);
            cell = write?.Cell ?? cell;
            mortal = mortalWrite is { } kept ? (kept.Cell, now + kept.Life) : mortal;
            chargedAt = write is not null && answer.Decision == RateLimitDecision.Allowed ? now : chargedAt;
            seen.Add(answer.Decision);
        }

        seen.Count.ShouldBe(threshold > 0 ? 3 : 2);
    }

    private static RedisScript OnAGivenClock(string name, int firstArgument)
    {
        var text = RedisRateLimitStore.Load(name).Text;
        text.ShouldContain("redis.call('TIME')");
        return RedisScript.FromText(name, text.Replace("redis.call('TIME')", $"{{ ARGV[{firstArgument}], ARGV[{firstArgument + 1}] }}", StringComparison.Ordinal));
    }

    private static Task<RedisResult> EvaluateAsync(RedisSide side, RedisScript script, RedisValue[] arguments, long now) =>
        side.Connection.EvaluateAsync(
            script, [side.Keys.RateLimit("compare", "x")], [.. arguments, now / Second, now % Second], CancellationToken.None);
}
