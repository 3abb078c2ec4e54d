using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.Lease;
using Maintenance.Worker.RedisTests.Scheduling;

namespace Maintenance.Worker.RedisTests.Lease;

public sealed class JobLeaseTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private const string Job = RunnerHarness.JobName;
    private const string Key = "maintenance:lease:" + Job;

    private static readonly DateTimeOffset Midnight = new(TimeProvider.System.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);

    private RunnerHarness a = null!;
    private RunnerHarness b = null!;

    public async Task InitializeAsync()
    {
        await redis.Server.FlushAllAsync();
        // Looked at every 4 s; no stall of a busy machine loses it.
        a = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask, "a", lease: TimeSpan.FromSeconds(12));
        b = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask, "b", lease: TimeSpan.FromSeconds(12));
        // As a worker does at its start: a call's deadline is not meant for the first connection of a cold process.
        await a.ConnectAsync();
        await b.ConnectAsync();
    }

    public async Task DisposeAsync()
    {
        await a.DisposeAsync();
        await b.DisposeAsync();
    }

    [Fact]
    public async Task ClaimAsync_IsHeldByOne_OfManyAtOnce()
    {
        var claims = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => (i % 2 == 0 ? a : b).Lease.ClaimAsync(Job, Midnight, $"run{i}", CancellationToken.None)));
        var winners = claims.Where(claim => claim.Outcome == ClaimOutcome.Claimed).ToList();
        winners.Count.ShouldBe(1);
        claims.Count(claim => claim.Outcome == ClaimOutcome.Held).ShouldBe(49);
        await winners[0].Lease!.DisposeAsync();
    }

    [Fact]
    public async Task ClaimAsync_ThatNobodyWaitsForAnyMore_IsGivenBack()
    {
        await using var patient = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask, "c", lease: TimeSpan.FromMinutes(10));
        // Its scripts are known to the server from here on.
        await (await patient.Lease.ClaimAsync(Job, Midnight, "1", CancellationToken.None)).Lease!.ReleaseAsync(CancellationToken.None);
        using var interrupted = new CancellationTokenSource();
        // Until it is over for certain. Of writes, which scripts are too: else its end would have to wait as well.
        await redis.Server.ExecuteAsync("CLIENT", "PAUSE", "600000", "WRITE");
        var claiming = patient.Lease.ClaimAsync(Job, Midnight, "2", interrupted.Token);

        await interrupted.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => claiming);
        await redis.Server.ExecuteAsync("CLIENT", "UNPAUSE");
        // Long before the lease would end by itself.
        await Eventually.TrueAsync(
            async () => (await b.Lease.ClaimAsync(Job, Midnight, "3", CancellationToken.None)).Outcome == ClaimOutcome.Claimed, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task ClaimAsync_IsRefused_ForADueTimeThatWasDone_AndForEarlierOnes()
    {
        var claim = await a.Lease.ClaimAsync(Job, Midnight, "1", CancellationToken.None);
        (await claim.Lease!.CompleteAsync(CancellationToken.None)).ShouldBe(LeaseEnd.Recorded);

        (await b.Lease.ClaimAsync(Job, Midnight, "2", CancellationToken.None)).Outcome.ShouldBe(ClaimOutcome.Done);
        (await b.Lease.ClaimAsync(Job, Midnight.AddMinutes(-1), "3", CancellationToken.None)).Outcome.ShouldBe(ClaimOutcome.Done);
        var next = await b.Lease.ClaimAsync(Job, Midnight.AddMinutes(1), "4", CancellationToken.None);
        next.Outcome.ShouldBe(ClaimOutcome.Claimed);
        await next.Lease!.ReleaseAsync(CancellationToken.None);
    }

    [Fact]
    public async Task ClaimAsync_ByHand_AsksNoDueTime_ButNeverOverlaps()
    {
        var scheduled = await a.Lease.ClaimAsync(Job, Midnight, "1", CancellationToken.None);
        var byHand = await b.Lease.ClaimAsync(Job, null, "2", CancellationToken.None);
        byHand.Outcome.ShouldBe(ClaimOutcome.Held);
        byHand.Replica.ShouldBe("a");

        await scheduled.Lease!.CompleteAsync(CancellationToken.None);
        byHand = await b.Lease.ClaimAsync(Job, null, "3", CancellationToken.None);
        byHand.Outcome.ShouldBe(ClaimOutcome.Claimed);
        await byHand.Lease!.CompleteAsync(CancellationToken.None);
        (await redis.Server.StringAsync("HGET", Key, "done")).ShouldBe($"{Midnight.ToUnixTimeMilliseconds()}");
    }

    [Fact]
    public async Task ReleaseAsync_LeavesTheDueTimeToOthers()
    {
        var claim = await a.Lease.ClaimAsync(Job, Midnight, "1", CancellationToken.None);
        await claim.Lease!.ReleaseAsync(CancellationToken.None);
        var other = await b.Lease.ClaimAsync(Job, Midnight, "2", CancellationToken.None);
        other.Outcome.ShouldBe(ClaimOutcome.Claimed);
        await other.Lease!.ReleaseAsync(CancellationToken.None);
    }

    [Fact]
    public async Task ClaimAsync_PassesOverADoneTime_ThatAClockRunningAheadHasLeft()
    {
        var interval = TimeSpan.FromHours(1);
        await redis.Server.ExecuteAsync("HSET", Key, "done", $"{TimeProvider.System.GetUtcNow().AddDays(1).ToUnixTimeMilliseconds()}");

        var claim = await a.Lease.ClaimAsync(Job, Midnight, "1", CancellationToken.None, interval);

        claim.Outcome.ShouldBe(ClaimOutcome.Claimed);
        (await claim.Lease!.CompleteAsync(CancellationToken.None)).ShouldBe(LeaseEnd.Recorded);
        // And it is not in the way of what is done from now on.
        (await redis.Server.StringAsync("HGET", Key, "done")).ShouldBe($"{Midnight.ToUnixTimeMilliseconds()}");
        (await b.Lease.ClaimAsync(Job, Midnight, "2", CancellationToken.None, interval)).Outcome.ShouldBe(ClaimOutcome.Done);
    }

    [Fact]
    public async Task ClaimAsync_RefusesADueTime_OfAClockThatRunsAhead()
    {
        var interval = TimeSpan.FromHours(1);
        var tomorrow = TimeProvider.System.GetUtcNow().AddDays(1);

        (await a.Lease.ClaimAsync(Job, tomorrow, "1", CancellationToken.None, interval)).Outcome.ShouldBe(ClaimOutcome.Early);

        (await redis.Server.KeysAsync("maintenance:*")).ShouldBeEmpty();
        a.Logs.WithEvent(2103).Count.ShouldBe(1);
        var soon = await a.Lease.ClaimAsync(Job, TimeProvider.System.GetUtcNow().AddSeconds(20), "2", CancellationToken.None, TimeSpan.FromSeconds(1));
        soon.Outcome.ShouldBe(ClaimOutcome.Claimed, "clocks differ a little");
        await soon.Lease!.ReleaseAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Lost_IsCanceled_WhenRedisRefusesTheRenewal()
    {
        var claim = await a.Lease.ClaimAsync(Job, Midnight, "1", CancellationToken.None);
        await redis.Server.ExecuteAsync("DEL", Key);
        await redis.Server.ExecuteAsync("SET", Key, "another type");

        await Eventually.TrueAsync(() => claim.Lease!.Lost.IsCancellationRequested, TimeSpan.FromSeconds(60));

        (await claim.Lease!.CompleteAsync(CancellationToken.None)).ShouldBe(LeaseEnd.Unknown);
        await claim.Lease.DisposeAsync();
    }

    [Fact]
    public async Task Watch_RenewsALeaseForLongerThanItsDuration()
    {
        await using var brief = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask, "c", lease: TimeSpan.FromSeconds(12));
        var claim = await brief.Lease.ClaimAsync(Job, Midnight, "1", CancellationToken.None);
        var first = await redis.Server.StringAsync("HGET", Key, "until");
        await Eventually.TrueAsync(async () =>
            long.Parse((await redis.Server.StringAsync("HGET", Key, "until"))!) - long.Parse(first!) >= 12_000, TimeSpan.FromSeconds(60));
        claim.Lease!.Lost.IsCancellationRequested.ShouldBeFalse();
        claim.Lease.IsHeld.ShouldBeTrue();
        (await claim.Lease.CompleteAsync(CancellationToken.None)).ShouldBe(LeaseEnd.Recorded);
    }

    [Fact]
    public async Task Lost_IsCanceled_AndNothingRecorded_WhenAnotherHasTheLease()
    {
        var claim = await a.Lease.ClaimAsync(Job, Midnight, "1", CancellationToken.None);
        // As if this replica had stood still and another had taken over.
        await redis.Server.ExecuteAsync("HSET", Key, "holder", "b/2");
        await Eventually.TrueAsync(() => claim.Lease!.Lost.IsCancellationRequested, TimeSpan.FromSeconds(60));
        (await claim.Lease!.CompleteAsync(CancellationToken.None)).ShouldBe(LeaseEnd.Lost);
        (await redis.Server.StringAsync("HGET", Key, "done")).ShouldBeNull();
        (await redis.Server.StringAsync("HGET", Key, "holder")).ShouldBe("b/2");
        a.Logs.WithEvent(2100).ShouldHaveSingleItem().Message.ShouldContain("another replica has it");
    }

    [Fact]
    public async Task ClaimAsync_WaitsForRedis_AsLongAsItsConnectionDoes()
    {
        await using var server = await RedisServer.StartAsync();
        await using var patient = new RunnerHarness(server.Url, (_, _) => Task.CompletedTask, "c", deadline: TimeSpan.FromMinutes(1));
        await patient.ConnectAsync();
        await server.PauseAsync();

        var claiming = patient.Lease.ClaimAsync(Job, Midnight, "1", CancellationToken.None);
        // Past what a service gives such a call.
        await Task.Delay(JobLease.CallDeadline * 2, TimeProvider.System);
        claiming.IsCompleted.ShouldBeFalse();
        await server.ResumeAsync();

        var claim = await claiming;
        claim.Outcome.ShouldBe(ClaimOutcome.Claimed);
        await claim.Lease!.ReleaseAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Lost_IsCanceled_ByThisReplicasOwnClock_WhenRedisIsOutOfReach()
    {
        await using var server = await RedisServer.StartAsync();
        await using var alone = new RunnerHarness(server.Url, (_, _) => Task.CompletedTask, "c", lease: TimeSpan.FromSeconds(1.5));
        await alone.ConnectAsync();
        var claim = await alone.Lease.ClaimAsync(Job, Midnight, "1", CancellationToken.None);
        await server.PauseAsync();
        await Eventually.TrueAsync(() => claim.Lease!.Lost.IsCancellationRequested, TimeSpan.FromSeconds(60));
        claim.Lease!.IsHeld.ShouldBeFalse();
        await server.ResumeAsync();
    }

    [Fact]
    public async Task ClaimAsync_CountsNoTransition_WhenTheOtherReplicaGaveItBack()
    {
        using var transitions = new MetricCollector<long>(b.Meters, "maintenance.lease.transitions");
        await (await a.Lease.ClaimAsync(Job, Midnight, "1", CancellationToken.None)).Lease!.CompleteAsync(CancellationToken.None);
        await (await b.Lease.ClaimAsync(Job, Midnight.AddHours(1), "2", CancellationToken.None)).Lease!.ReleaseAsync(CancellationToken.None);
        await (await a.Lease.ClaimAsync(Job, Midnight.AddHours(1), "3", CancellationToken.None)).Lease!.ReleaseAsync(CancellationToken.None);
        var claim = await b.Lease.ClaimAsync(Job, Midnight.AddHours(1), "4", CancellationToken.None);
        claim.Outcome.ShouldBe(ClaimOutcome.Claimed);
        transitions.Sum(("task", Job)).ShouldBe(0);
        await claim.Lease!.CompleteAsync(CancellationToken.None);
    }

    [Fact]
    public async Task ClaimAsync_TakesOver_WhenTheHolderIsDead_AndCountsTheTransition()
    {
        using var transitions = new MetricCollector<long>(b.Meters, "maintenance.lease.transitions");
        await redis.Server.ExecuteAsync(
            "HSET", Key, "holder", "dead/1", "replica", "dead", "until", $"{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() + 600_000}");
        (await b.Lease.ClaimAsync(Job, Midnight, "2", CancellationToken.None)).Outcome.ShouldBe(ClaimOutcome.Held);
        // Its time is over.
        await redis.Server.ExecuteAsync("HSET", Key, "until", $"{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() - 1}");
        var claim = await b.Lease.ClaimAsync(Job, Midnight, "3", CancellationToken.None);
        claim.Outcome.ShouldBe(ClaimOutcome.Claimed);
        transitions.Sum(("task", Job)).ShouldBe(1);
        await claim.Lease!.CompleteAsync(CancellationToken.None);
    }

    [Fact]
    public async Task ClaimAsync_LeavesAKeyThatEnds()
    {
        var claim = await a.Lease.ClaimAsync(Job, Midnight, "1", CancellationToken.None);
        await claim.Lease!.CompleteAsync(CancellationToken.None);
        var days = TimeSpan.FromMilliseconds(await redis.Server.IntegerAsync("PTTL", Key)).TotalDays;
        days.ShouldBeInRange(39, 40);
        (await redis.Server.KeysAsync("maintenance:lease:*")).ShouldBe([Key]);
    }
}
