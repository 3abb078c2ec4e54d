using Maintenance.Testing;
using Maintenance.Worker.Scheduling;
using Maintenance.Worker.SessionCleanup;

namespace Maintenance.Worker.RedisTests.SessionCleanup;

/// <summary>The brake that stops a run from removing too much.</summary>
[Collection(SessionCleanupCollection.Name)]
public sealed class CleanupBrakeTests(RedisFixture redis) : SessionCleanupTestBase(redis)
{
    [Fact]
    public async Task Run_RemovesNothing_WhenTheBrakeTrips()
    {
        await Server.ExecuteManyAsync(Enumerable.Range(0, 100).Select(number => new[] { "SET", $"rate:limit:login:{number:D22}", "1" }));
        Sweep.CleanupOptions.MissingTtl = MissingTtlPolicy.Remove;

        await Should.ThrowAsync<BrakeException>(() => Sweep.CleanAsync(brake: new BrakeOptions { Minimum = 10, Share = 0.5 }));

        (await Server.KeysAsync("rate:limit:*")).Count.ShouldBe(100);
        (await Sweep.CleanAsync(brake: new BrakeOptions { Minimum = 10, Share = 1 })).Count("ttl_removed").ShouldBe(100);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Archive_IsCleanedAfterRedis_AlsoWhenTheBrakeHeld(bool braked)
    {
        var session = await Sweep.LogInAsync(SweepHarness.NewUserId());
        await Server.ExecuteAsync("ZADD", Sweep.Index(session), "1000", $"{1:D22}");
        await Server.ExecuteManyAsync(Enumerable.Range(0, 100).Select(number => new[] { "SET", $"rate:limit:login:{number:D22}", "1" }));
        Sweep.CleanupOptions.MissingTtl = MissingTtlPolicy.Remove;
        var membersLeft = new List<long>();
        var archive = OrderedArchive.Of(async () => membersLeft.Add(await Server.IntegerAsync("ZCARD", Sweep.Index(session))));
        var sessions = new SweepHarness.Fixed<Maintenance.Storage.Sessions.SessionOptions>(new());
        var job = new SessionCleanupJob(
            Sweep.Connection, Sweep.Keys, Sweep.Repair, Sweep.TokenRepair, new SweepHarness.Fixed<SessionCleanupOptions>(Sweep.CleanupOptions), Sweep.Metrics,
            new ArchiveCleanup(archive, sessions, Sweep.Metrics));
        var context = SweepHarness.Context(brake: new BrakeOptions { Minimum = braked ? 10 : 1000 });

        var running = job.RunAsync(context, CancellationToken.None);

        await (braked ? Should.ThrowAsync<BrakeException>(() => running) : running);
        membersLeft.ShouldBe([1]);
    }

    [Fact]
    public async Task Brake_TakesItsShareOfOurKeys_NotOfThoseOfOtherPrograms()
    {
        await Server.ExecuteManyAsync(Enumerable.Range(0, 5000).Select(number => new[] { "SET", $"somebody:{number}", "1" }));
        await Server.ExecuteManyAsync(Enumerable.Range(0, 5000).Select(number => new[] { "SET", $"cache:{number}", "anybody's" }));
        await Server.ExecuteManyAsync(Enumerable.Range(0, 100).Select(number => new[] { "SET", $"rate:limit:login:{number:D22}", "1" }));
        Sweep.CleanupOptions.MissingTtl = MissingTtlPolicy.Remove;

        var braked = await Should.ThrowAsync<BrakeException>(() => Sweep.CleanAsync(brake: new BrakeOptions { Minimum = 10, Share = 0.2 }));

        braked.Message.ShouldContain("Stopped before removing");
        (await Server.KeysAsync("rate:limit:*")).Count.ShouldBeGreaterThanOrEqualTo(80);
    }
}
