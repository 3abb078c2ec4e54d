using System.Diagnostics;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Maintenance.Storage.OutageTests;

/// <summary>What an outage costs a request, and how it is noticed and said.</summary>
public sealed class BreakerTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Theory]
    [InlineData("Deny")]
    [InlineData("Memory")]
    public async Task Validate_CostsNothing_OnceTheBreakerIsOpen(string policy)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis, null, ("Storage:Outage:Sessions", policy));
        var issued = await host.LogInAsync("ada");
        await redis.PauseAsync();
        try
        {
            await host.NoticeAsync();
            var times = new List<double>();
            for (var i = 0; i < 500; i++)
            {
                var started = Stopwatch.GetTimestamp();
                try
                {
                    (await host.IsValidAsync(issued)).ShouldBeFalse();
                }
                catch (StorageUnavailableException)
                {
                    policy.ShouldBe("Deny");
                }

                times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }

            // The bench measures it; this only tells it from a call that waits for the deadline of 2 s.
            times.Order().ElementAt(times.Count / 2).ShouldBeLessThan(25);
        }
        finally
        {
            await redis.ResumeAsync();
        }
    }

    [Fact]
    public async Task ManyCallsAtOnce_WaitNoLongerThanTheDeadline_AndOpenTheBreaker()
    {
        await using var redis = await RedisServer.StartAsync();
        // Without the watch: the calls alone open it.
        await using var host = new OutageHost(redis, null, automatic: false);
        await host.RecoverAsync();
        var issued = await host.LogInAsync("ada");
        await redis.PauseAsync();
        host.Hurry(TimeSpan.FromSeconds(0.5));
        try
        {
            var started = Stopwatch.GetTimestamp();
            var failures = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Record.ExceptionAsync(() => host.IsValidAsync(issued))));

            // The machine that runs this may be busy; a client without deadlines waits 75 s here.
            Stopwatch.GetElapsedTime(started).TotalSeconds.ShouldBeLessThan(25);
            failures.ShouldAllBe(failure => failure is StorageUnavailableException);
            host.Get<RedisBreaker>().IsOpen.ShouldBeTrue();
            host.Mode.IsRedisAway.ShouldBeTrue();
            ((StorageUnavailableException?)await Record.ExceptionAsync(() => host.IsValidAsync(issued)))!.Reason.ShouldBe(UnavailableReason.Away);
        }
        finally
        {
            await redis.ResumeAsync();
        }
    }

    [Fact]
    public async Task OneFailedCall_IsEnough_BecauseAProbeFollows()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis);
        var issued = await host.LogInAsync("ada");
        await redis.KillAsync();

        await Should.ThrowAsync<StorageUnavailableException>(() => host.IsValidAsync(issued));

        await Eventually.TrueAsync(() => host.Mode.IsRedisAway);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Recovery_IsNoticedWithinTwoSeconds(bool paused)
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions { AppendOnly = true });
        await using var host = new OutageHost(redis);
        var issued = await host.LogInAsync("ada");
        var noticed = new List<double>();
        // One outage is enough, unless the machine stands still just then.
        while (noticed.Count == 0 || (noticed.Min() >= 4 && noticed.Count < 5))
        {
            await (paused ? redis.PauseAsync() : redis.KillAsync());
            await host.NoticeAsync();

            await (paused ? redis.ResumeAsync() : redis.RestartAsync());

            // No request is spent on finding out: nobody asks but the watch.
            var started = Stopwatch.GetTimestamp();
            await Eventually.TrueAsync(() => !host.Mode.IsRedisAway, TimeSpan.FromSeconds(60));
            noticed.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            await host.RecoverAsync();
            (await host.IsValidAsync(issued)).ShouldBeTrue();
        }

        // Within 2 s by the settings; the rest is the machine's.
        noticed.Min().ShouldBeLessThan(4);
    }

    [Fact]
    public async Task RefusedWrites_AreNoOutage()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis);
        var issued = await host.LogInAsync("ada");
        await redis.ExecuteAsync("CONFIG", "SET", "min-replicas-to-write", "1");

        for (var i = 0; i < 10; i++)
        {
            await Should.ThrowAsync<StorageUnavailableException>(() => host.LogInAsync("ada"));
        }

        host.Get<RedisBreaker>().IsOpen.ShouldBeFalse();
        (await host.IsValidAsync(issued)).ShouldBeTrue();
    }

    [Fact]
    public async Task ModeChange_IsOneLogLine_AMetric_AndAReasonOfHealth()
    {
        await using var redis = await RedisServer.StartAsync();
        using var folder = new JournalFolder();
        await using var host = new OutageHost(redis, null, folder.Setting());
        await host.RecoverAsync();
        var check = new StorageModeHealthCheck(host.Mode, host.Pending, host.Get<OutageOptions>());
        _ = host.Get<OutageMetrics>();
        using var modes = new MetricCollector<int>(host.Meters, "authstore.mode");
        using var transitions = new MetricCollector<long>(host.Meters, "authstore.mode.transitions");
        using var waiting = new MetricCollector<int>(host.Meters, "authstore.journal.entries");
        (await check.CheckHealthAsync(new HealthCheckContext(), None)).Status.ShouldBe(HealthStatus.Healthy);
        modes.Observe().Single(m => m.Has(("mode", "redis"))).Value.ShouldBe(1);
        var before = transitions.Observe().Single().Value;

        await redis.PauseAsync();
        try
        {
            await host.NoticeAsync();
            await host.Sessions.RevokeAllAsync("ada", null, None);

            modes.Observe().Single(m => m.Has(("mode", "memory"))).Value.ShouldBe(1);
            modes.Measurements.Single(m => m.Has(("mode", "redis"))).Value.ShouldBe(0);
            waiting.Observe().Single().Value.ShouldBe(1);
            var health = await check.CheckHealthAsync(new HealthCheckContext(), None);
            health.Status.ShouldBe(HealthStatus.Degraded);
            health.Description!.ShouldContain("1 revocations wait");
            await Eventually.TrueAsync(() => host.Log.WithEvent(1500).Count > 0);
        }
        finally
        {
            await redis.ResumeAsync();
        }

        await host.RecoverAsync();
        // The watch says so before it writes so.
        await Eventually.TrueAsync(() => host.Log.WithEvent(1501).Count > 0);
        host.Log.WithEvent(1500).Count.ShouldBe(1);
        host.Log.WithEvent(1501).Count.ShouldBe(1);
        transitions.Observe().Single().Value.ShouldBe(before + 2);
        waiting.Observe().Single().Value.ShouldBe(0);
        (await check.CheckHealthAsync(new HealthCheckContext(), None)).Status.ShouldBe(HealthStatus.Healthy);
    }
}
