using System.Collections.Concurrent;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Storage.RedisTests.UserData;

public sealed class UserKeyScanTests
{
    [Fact]
    public async Task Find_RestsAsLongAsItWorks()
    {
        await using var server = await RedisServer.StartAsync();
        var keys = new RedisKeys("");
        var user = UserReference.Of("somebody");
        await server.ExecuteAsync("EVAL", "for i = 1, 2000 do redis.call('SET', 'other:' .. i, 'x') end", "0");
        await server.ExecuteAsync("SET", keys.Generation(user), "1");
        var clock = new RestingClock();
        await using var connection = new RedisConnection(new RedisOptions { Url = server.Url, Deadline = TimeSpan.FromMinutes(1) }, clock, NullLogger.Instance)
        {
            // Each call takes ten milliseconds.
            BeforeCall = () =>
            {
                clock.Advance(TimeSpan.FromMilliseconds(10));
                return Task.CompletedTask;
            },
        };

        (await UserKeyScan.FindAsync(connection, keys, user, CancellationToken.None)).ShouldBe([keys.Generation(user)]);

        clock.Rests.Count.ShouldBeGreaterThan(2);
        clock.Rests.ShouldAllBe(rest => rest == TimeSpan.FromMilliseconds(20));
    }

    /// <summary>Stands still unless it is advanced; short rests are written down and end at once, deadlines never come.</summary>
    private sealed class RestingClock : TimeProvider
    {
        private long ticks;

        public ConcurrentQueue<TimeSpan> Rests { get; } = [];

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan time) => Interlocked.Add(ref ticks, time.Ticks);

        public override long GetTimestamp() => Interlocked.Read(ref ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var rests = dueTime > TimeSpan.Zero && dueTime < TimeSpan.FromSeconds(1);
            if (rests)
            {
                Rests.Enqueue(dueTime);
            }

            return base.CreateTimer(callback, state, rests ? TimeSpan.Zero : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
