using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Scheduling;

/// <summary>What becomes of a run whose lease is lost, refused, or cannot be asked for.</summary>
[Collection(JobRunnerCollection.Name)]
public sealed class RunLeaseTests(RedisFixture redis) : JobRunnerTestBase(redis)
{
    [Fact]
    public async Task RunAsync_IsCanceledWithLeaseLost_AndRecordsNoSuccess_WhenAnotherTookTheLease()
    {
        var entered = new TaskCompletionSource();
        await using var replica = new RunnerHarness(
            Server.Url,
            async (_, cancellationToken) =>
            {
                entered.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            },
            // Looked at every 2 s, and not lost to a stall before the job is entered.
            lease: TimeSpan.FromSeconds(6));
        var running = replica.RunAsync(Midnight);
        await entered.Task;
        await Server.ExecuteAsync("HSET", "maintenance:lease:" + RunnerHarness.JobName, "holder", "b/2");
        var result = await running.WaitAsync(TimeSpan.FromSeconds(60));
        result.Outcome.ShouldBe(JobOutcome.Canceled);
        result.Reason.ShouldBe("lease lost");
        (await Server.KeysAsync("maintenance:last-success:*")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(LeaselessRuns.Never, JobOutcome.Failed)]
    [InlineData(LeaselessRuns.WhenFull, JobOutcome.Failed)]
    [InlineData(LeaselessRuns.WhenUnavailable, JobOutcome.Success)]
    public async Task RunAsync_NeedsItsLease_UnlessDeclared_WhenRedisIsAway(LeaselessRuns leaseless, JobOutcome expected)
    {
        await using var replica = new RunnerHarness($"redis://127.0.0.1:{FreePort.Next()}", (_, _) => Task.CompletedTask, leaseless: leaseless, deadline: TimeSpan.FromSeconds(1));
        var result = await replica.RunAsync(Midnight);
        result.Outcome.ShouldBe(expected);
        replica.Cache.Results(RunnerHarness.JobName).ShouldHaveSingleItem().RunId.ShouldBe(result.RunId);
        replica.Logs.WithEvent(2006).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(LeaselessRuns.Never, JobOutcome.Failed)]
    [InlineData(LeaselessRuns.WhenFull, JobOutcome.Success)]
    public async Task RunAsync_MayGoWithoutALease_WhenAFullRedisRefusesIt(LeaselessRuns leaseless, JobOutcome expected)
    {
        await using var full = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryPolicy = "noeviction" });
        await full.ExecuteAsync("SET", "ballast", new string('x', 100_000));
        await full.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
        await using var replica = new RunnerHarness(full.Url, (_, _) => Task.CompletedTask, leaseless: leaseless);
        (await replica.RunAsync(Midnight)).Outcome.ShouldBe(expected);
    }

    [Theory]
    [InlineData(LeaselessRuns.Never, JobOutcome.Failed)]
    [InlineData(LeaselessRuns.WhenFull, JobOutcome.Failed)]
    [InlineData(LeaselessRuns.WhenUnavailable, JobOutcome.Success)]
    public async Task RunAsync_NeedsItsLease_UnlessDeclared_WhenRedisRefusesIt(LeaselessRuns leaseless, JobOutcome expected)
    {
        await Server.ExecuteAsync("SET", "maintenance:lease:" + RunnerHarness.JobName, "another type");
        await using var replica = new RunnerHarness(Server.Url, (_, _) => Task.CompletedTask, leaseless: leaseless);
        (await replica.RunAsync(Midnight)).Outcome.ShouldBe(expected);
    }

    [Theory]
    [InlineData(LeaselessRuns.Never, JobOutcome.Failed)]
    [InlineData(LeaselessRuns.WhenUnavailable, JobOutcome.Success)]
    public async Task RunAsync_IsToldToTheObservers_WhenRedisRefusesEveryCommand(LeaselessRuns leaseless, JobOutcome expected)
    {
        await using var refusing = await RedisServer.StartAsync();
        await refusing.ExecuteAsync("ACL", "SETUSER", "default", "resetkeys", "~__*");
        await using var replica = new RunnerHarness(refusing.Url, (_, _) => Task.CompletedTask, leaseless: leaseless);
        var result = await replica.RunAsync(Midnight);
        result.Outcome.ShouldBe(expected);
        replica.Cache.Results(RunnerHarness.JobName).ShouldHaveSingleItem().RunId.ShouldBe(result.RunId);
        replica.Logs.WithEvent(2006).ShouldHaveSingleItem().Message.ShouldContain("NOPERM");
    }

    [Theory]
    [InlineData(LeaselessRuns.Never, JobOutcome.Canceled)]
    [InlineData(LeaselessRuns.WhenFull, JobOutcome.Success)]
    [InlineData(LeaselessRuns.WhenUnavailable, JobOutcome.Success)]
    public async Task RunAsync_GoesOnWithoutItsLease_IfDeclared_WhenRedisFillsUpMeanwhile(LeaselessRuns leaseless, JobOutcome expected)
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryPolicy = "noeviction" });
        var entered = new TaskCompletionSource();
        var leave = new TaskCompletionSource();
        await using var replica = new RunnerHarness(
            server.Url,
            async (_, cancellationToken) =>
            {
                entered.SetResult();
                await leave.Task.WaitAsync(cancellationToken);
            },
            leaseless: leaseless,
            // Long enough that a stall of whoever renews it is not what loses it: he begins when a third of it is over.
            lease: TimeSpan.FromSeconds(12));
        var running = replica.RunAsync(Midnight);
        await entered.Task;
        await server.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
        // Longer than the lease lives: what may go without it looks at it every third of its life, the rest until it is lost.
        await Eventually.TrueAsync(
            () => running.IsCompleted || (expected == JobOutcome.Success && replica.Logs.WithEvent(2101).Count > 3), TimeSpan.FromSeconds(60));
        leave.SetResult();

        var result = await running;

        result.Outcome.ShouldBe(expected);
        result.Reason.ShouldBe(expected == JobOutcome.Success ? null : "lease lost");
    }

    [Fact]
    public async Task RunAsync_StaysBraked_WhenTheLeaseWasLostMeanwhile()
    {
        await using var replica = new RunnerHarness(Server.Url, async (context, _) =>
        {
            await Server.ExecuteAsync("HSET", "maintenance:lease:" + RunnerHarness.JobName, "holder", "b/2");
            context.Brake.Check(10, 5000, "sessions");
        });
        var result = await replica.RunAsync(Midnight);
        result.Outcome.ShouldBe(JobOutcome.Failed);
        result.Braked.ShouldBeTrue();
    }
}
