using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Scheduling;

public sealed class JobRunnerTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private static readonly DateTimeOffset Midnight = new(TimeProvider.System.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);

    public Task InitializeAsync() => redis.Server.FlushAllAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task RunAsync_KeepsItsResult_AndTheLastSuccess_AcrossARestart()
    {
        await using (var first = new RunnerHarness(redis.Server.Url, (context, _) =>
        {
            context.Report.Add("keys_seen", 7);
            return Task.CompletedTask;
        }))
        {
            (await first.RunAsync(Midnight)).Outcome.ShouldBe(JobOutcome.Success);
        }

        await using var second = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask, "b");
        using var success = new MetricCollector<double>(second.Meters, "maintenance.job.last_success.timestamp");
        await second.Cache.RefreshAsync(CancellationToken.None);
        second.Cache.Results(RunnerHarness.JobName).ShouldHaveSingleItem().Counts["keys_seen"].ShouldBe(7);
        second.Cache.LastSuccess(RunnerHarness.JobName).ShouldNotBeNull();
        success.Observe().ShouldHaveSingleItem().Value.ShouldBeGreaterThan(1_700_000_000);
        (await second.RunAsync(Midnight)).Outcome.ShouldBe(JobOutcome.Skipped);
    }

    [Fact]
    public async Task RunAsync_DoesADueTimeOnce_OnManyReplicas()
    {
        var runs = 0;
        var replicas = Enumerable.Range(0, 4).Select(i => new RunnerHarness(
            redis.Server.Url,
            (_, _) =>
            {
                Interlocked.Increment(ref runs);
                return Task.CompletedTask;
            },
            $"r{i}")).ToList();
        for (var due = 0; due < 10; due++)
        {
            await Task.WhenAll(replicas.Select(replica => replica.RunAsync(Midnight.AddSeconds(due))));
        }

        runs.ShouldBe(10);
        (await replicas[0].Store.ReadAsync(RunnerHarness.JobName, CancellationToken.None)).Select(result => result.Due).Distinct().Count().ShouldBe(10);
        foreach (var replica in replicas)
        {
            await replica.DisposeAsync();
        }
    }

    [Fact]
    public async Task RunDueAsync_TakesOver_WhenTheHolderGivesUp()
    {
        var entered = new TaskCompletionSource();
        await using var holder = Holder(entered);
        await using var other = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask, "other", lease: TimeSpan.FromSeconds(9));
        var holding = holder.RunAsync(Midnight);
        await entered.Task;
        var waiting = other.Runner.RunDueAsync(new RunRequest(RunnerHarness.JobName) { Due = Midnight }, DateTimeOffset.MaxValue, CancellationToken.None);

        holder.Lifetime.StopApplication();
        var canceled = await holding;
        canceled.Outcome.ShouldBe(JobOutcome.Canceled);
        canceled.Reason.ShouldBe("shutdown");
        var taken = await waiting.WaitAsync(TimeSpan.FromSeconds(60));
        taken.Outcome.ShouldBe(JobOutcome.Success);
        taken.Replica.ShouldBe("other");
    }

    [Fact]
    public async Task RunDueAsync_GivesUp_WhenTheNextDueTimeHasCome()
    {
        var entered = new TaskCompletionSource();
        var leave = new TaskCompletionSource();
        await using var holder = new RunnerHarness(
            redis.Server.Url,
            async (_, _) =>
            {
                entered.SetResult();
                await leave.Task;
            },
            "holder");
        await using var other = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask, "other");
        var holding = holder.RunAsync(Midnight);
        await entered.Task;
        var result = await other.Runner.RunDueAsync(
            new RunRequest(RunnerHarness.JobName) { Due = Midnight }, TimeProvider.System.GetUtcNow(), CancellationToken.None);
        result.Outcome.ShouldBe(JobOutcome.Skipped);
        result.Reason!.ShouldContain("holder");
        leave.SetResult();
        (await holding).Outcome.ShouldBe(JobOutcome.Success);
    }

    [Fact]
    public async Task RunDueAsync_IsDoneWhenRedisIsBack_WhenItWasAwayAtTheDueTime_AndToldOnce()
    {
        await using var server = await RedisServer.StartAsync();
        await using var replica = new RunnerHarness(server.Url, (_, _) => Task.CompletedTask, deadline: TimeSpan.FromSeconds(2));
        await replica.ConnectAsync();
        await server.PauseAsync();
        var running = replica.Runner.RunDueAsync(new RunRequest(RunnerHarness.JobName) { Due = Midnight }, DateTimeOffset.MaxValue, CancellationToken.None);
        await Eventually.TrueAsync(() => replica.Cache.Results(RunnerHarness.JobName).Count == 1, TimeSpan.FromSeconds(60));
        await server.ResumeAsync();

        var result = await running.WaitAsync(TimeSpan.FromSeconds(120));

        result.Outcome.ShouldBe(JobOutcome.Success);
        replica.Cache.Results(RunnerHarness.JobName).Select(each => each.Outcome).ShouldBe([JobOutcome.Success, JobOutcome.Failed]);
        (await server.StringAsync("HGET", "maintenance:lease:" + RunnerHarness.JobName, "done")).ShouldBe($"{Midnight.ToUnixTimeMilliseconds()}");
    }

    [Fact]
    public async Task RunDueAsync_RunsAgain_WhenARunBrokeOffBecauseRedisWasAway()
    {
        var runs = 0;
        await using var replica = new RunnerHarness(
            redis.Server.Url,
            (_, _) => ++runs < 3 ? throw new StorageUnavailableException(UnavailableReason.Deadline, "away for a moment") : Task.CompletedTask,
            lease: TimeSpan.FromSeconds(9));
        var result = await replica.Runner
            .RunDueAsync(new RunRequest(RunnerHarness.JobName) { Due = Midnight }, DateTimeOffset.MaxValue, CancellationToken.None)
            .WaitAsync(TimeSpan.FromSeconds(120));
        result.Outcome.ShouldBe(JobOutcome.Success);
        runs.ShouldBe(3);
    }

    [Fact]
    public async Task RunDueAsync_DoesNotRunAgain_WhenTheJobFailedOfItself_OrTheNextDueTimeHasCome()
    {
        var runs = 0;
        Exception problem = new InvalidOperationException("on purpose");
        await using var replica = new RunnerHarness(redis.Server.Url, (_, _) =>
        {
            runs++;
            throw problem;
        });
        var failed = await replica.Runner.RunDueAsync(
            new RunRequest(RunnerHarness.JobName) { Due = Midnight }, DateTimeOffset.MaxValue, CancellationToken.None);
        failed.Outcome.ShouldBe(JobOutcome.Failed);
        runs.ShouldBe(1);

        problem = new StorageUnavailableException(UnavailableReason.Deadline, "away");
        var away = await replica.Runner.RunDueAsync(
            new RunRequest(RunnerHarness.JobName) { Due = Midnight.AddSeconds(1) }, TimeProvider.System.GetUtcNow(), CancellationToken.None);
        away.Outcome.ShouldBe(JobOutcome.Failed);
        runs.ShouldBe(2);
    }

    [Fact]
    public async Task RunDueAsync_EndsAtOnce_WhenTheHostStopsWhileItWaitsForALease()
    {
        var entered = new TaskCompletionSource();
        await using var holder = Holder(entered);
        // It looks again every 100 s.
        await using var other = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask, "other", lease: TimeSpan.FromMinutes(5));
        var holding = holder.RunAsync(Midnight);
        await entered.Task;
        var waiting = other.Runner.RunDueAsync(new RunRequest(RunnerHarness.JobName) { Due = Midnight }, DateTimeOffset.MaxValue, CancellationToken.None);
        await Eventually.TrueAsync(() => other.Runner.Elsewhere(RunnerHarness.JobName) is not null, TimeSpan.FromSeconds(60));

        other.Lifetime.StopApplication();

        await Should.ThrowAsync<OperationCanceledException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(60)));
        holder.Lifetime.StopApplication();
        await holding;
    }

    [Fact]
    public async Task Firing_EndsAtOnce_WhenTheHostStopsDuringItsJitter()
    {
        // Once a month, so that the jitter may be as long as it is set: but once in a thousand times longer than this test waits.
        await using var replica = new RunnerHarness(
            redis.Server.Url,
            (_, _) => Task.CompletedTask,
            options: new JobOptions { Schedule = "0 0 0 1 * ?", Jitter = TimeSpan.FromDays(1) });
        var firing = replica.Firing.Execute(FiringContext.Of(RunnerHarness.JobName, Midnight)).AsTask();
        firing.IsCompleted.ShouldBeFalse();

        replica.Lifetime.StopApplication();

        await firing.WaitAsync(TimeSpan.FromSeconds(60));
        replica.Cache.Results(RunnerHarness.JobName).ShouldBeEmpty();
    }

    [Fact]
    public async Task RunDueAsync_CountsNoSkippedRun_WhenAnotherReplicaHasDoneIt()
    {
        await using var first = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask);
        await using var second = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask, "b");
        using var runs = new MetricCollector<long>(second.Meters, "maintenance.job.runs");
        await first.RunAsync(Midnight);
        var result = await second.Runner.RunDueAsync(
            new RunRequest(RunnerHarness.JobName) { Due = Midnight }, DateTimeOffset.MaxValue, CancellationToken.None);
        result.Outcome.ShouldBe(JobOutcome.Skipped);
        runs.Sum(("task", RunnerHarness.JobName), ("outcome", "skipped")).ShouldBe(0);

        await second.Pause.SetAsync(TimeSpan.FromMinutes(1), "a test", CancellationToken.None);
        await second.Runner.RunDueAsync(
            new RunRequest(RunnerHarness.JobName) { Due = Midnight.AddSeconds(1) }, DateTimeOffset.MaxValue, CancellationToken.None);
        runs.Sum(("task", RunnerHarness.JobName), ("outcome", "skipped")).ShouldBe(1);
    }

    [Fact]
    public async Task RunAsync_IsCanceledWithLeaseLost_AndRecordsNoSuccess_WhenAnotherTookTheLease()
    {
        var entered = new TaskCompletionSource();
        await using var replica = new RunnerHarness(
            redis.Server.Url,
            async (_, cancellationToken) =>
            {
                entered.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            },
            // Looked at every 2 s, and not lost to a stall before the job is entered.
            lease: TimeSpan.FromSeconds(6));
        var running = replica.RunAsync(Midnight);
        await entered.Task;
        await redis.Server.ExecuteAsync("HSET", "maintenance:lease:" + RunnerHarness.JobName, "holder", "b/2");
        var result = await running.WaitAsync(TimeSpan.FromSeconds(60));
        result.Outcome.ShouldBe(JobOutcome.Canceled);
        result.Reason.ShouldBe("lease lost");
        (await redis.Server.KeysAsync("maintenance:last-success:*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task RunAsync_IsSkipped_WhilePausedInRedis_AndRunsAfterwards()
    {
        await using var replica = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask);
        await replica.Pause.SetAsync(TimeSpan.FromMinutes(1), "a test", CancellationToken.None);
        (await redis.Server.IntegerAsync("PTTL", "maintenance:pause")).ShouldBeInRange(1, 60_000);
        var skipped = await replica.RunAsync(Midnight);
        skipped.Outcome.ShouldBe(JobOutcome.Skipped);
        skipped.Reason!.ShouldContain("a test");

        (await replica.Pause.EndAsync("a test", CancellationToken.None)).ShouldBeTrue();
        (await replica.RunAsync(Midnight)).Outcome.ShouldBe(JobOutcome.Success);
    }

    [Fact]
    public async Task RunAsync_IsSkipped_WhilePausedBySetting()
    {
        await using var replica = new RunnerHarness(
            redis.Server.Url, (_, _) => Task.CompletedTask, settings: ("Jobs:Paused", "true"));
        (await replica.RunAsync(Midnight)).Reason!.ShouldContain("Jobs:Paused");
    }

    [Fact]
    public async Task BeginAsync_RefusesASecondRun_HereAndElsewhere()
    {
        var entered = new TaskCompletionSource();
        var leave = new TaskCompletionSource();
        await using var here = new RunnerHarness(
            redis.Server.Url,
            async (_, _) =>
            {
                entered.SetResult();
                await leave.Task;
            });
        await using var elsewhere = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask, "b");
        var running = here.RunAsync();
        await entered.Task;
        here.Runner.Running(RunnerHarness.JobName).ShouldNotBeNull();
        (await here.Runner.BeginAsync(new RunRequest(RunnerHarness.JobName), CancellationToken.None)).Refusal.ShouldBe(RunRefusal.Running);
        (await elsewhere.Runner.BeginAsync(new RunRequest(RunnerHarness.JobName), CancellationToken.None)).Refusal.ShouldBe(RunRefusal.Running);
        leave.SetResult();
        await running;
        here.Runner.Running(RunnerHarness.JobName).ShouldBeNull();
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
        await redis.Server.ExecuteAsync("SET", "maintenance:lease:" + RunnerHarness.JobName, "another type");
        await using var replica = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask, leaseless: leaseless);
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
            // Long enough that a busy machine's stall is not what loses it.
            lease: TimeSpan.FromSeconds(6));
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
        await using var replica = new RunnerHarness(redis.Server.Url, async (context, _) =>
        {
            await redis.Server.ExecuteAsync("HSET", "maintenance:lease:" + RunnerHarness.JobName, "holder", "b/2");
            context.Brake.Check(10, 5000, "sessions");
        });
        var result = await replica.RunAsync(Midnight);
        result.Outcome.ShouldBe(JobOutcome.Failed);
        result.Braked.ShouldBeTrue();
    }

    [Fact]
    public async Task RunAsync_IsSkipped_WhenThisReplicasClockRunsAhead()
    {
        await using var replica = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask);
        var result = await replica.Runner.RunAsync(
            new RunRequest(RunnerHarness.JobName) { Due = TimeProvider.System.GetUtcNow().AddDays(1), Interval = TimeSpan.FromHours(1) }, CancellationToken.None);
        result.Outcome.ShouldBe(JobOutcome.Skipped);
        result.Reason!.ShouldContain("clock");
    }

    [Fact]
    public async Task StopAsync_WaitsForTheEndOfARunThatNobodyAwaits()
    {
        var entered = new TaskCompletionSource();
        var batchEnds = new TaskCompletionSource();
        await using var replica = new RunnerHarness(redis.Server.Url, async (_, cancellationToken) =>
        {
            entered.SetResult();
            await batchEnds.Task;
            cancellationToken.ThrowIfCancellationRequested();
        });
        await replica.Runner.BeginAsync(new RunRequest(RunnerHarness.JobName), replica.Lifetime.ApplicationStopping);
        await entered.Task;

        replica.Lifetime.StopApplication();
        var stopping = replica.Ending.StopAsync(CancellationToken.None);
        stopping.IsCompleted.ShouldBeFalse();
        batchEnds.SetResult();
        await stopping;

        (await redis.Server.StringAsync("HGET", "maintenance:lease:" + RunnerHarness.JobName, "holder")).ShouldBeNull();
        (await replica.Store.ReadAsync(RunnerHarness.JobName, CancellationToken.None)).ShouldHaveSingleItem().Reason.ShouldBe("shutdown");
    }

    [Fact]
    public async Task StopAsync_EndsWithTheHostsPatience_WhenARunDoesNot()
    {
        var entered = new TaskCompletionSource();
        var never = new TaskCompletionSource();
        await using var replica = new RunnerHarness(redis.Server.Url, async (_, _) =>
        {
            entered.SetResult();
            await never.Task;
        });
        var start = await replica.Runner.BeginAsync(new RunRequest(RunnerHarness.JobName), CancellationToken.None);
        await entered.Task;
        await replica.Ending.StopAsync(new CancellationToken(canceled: true));
        replica.Logs.WithEvent(2016).Count.ShouldBe(1);
        never.SetResult();
        await start.Completion;
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("a word")]
    public async Task RunAsync_IsSkipped_WhateverTheKeyOfThePauseSays(string text)
    {
        await redis.Server.ExecuteAsync("SET", "maintenance:pause", text);
        await using var replica = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask);
        (await replica.RunAsync(Midnight)).Outcome.ShouldBe(JobOutcome.Skipped);
    }

    [Fact]
    public async Task RunAsync_CountsEachOutcome_AndPrimesThemAll()
    {
        await using var replica = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask);
        using var runs = new MetricCollector<long>(replica.Meters, "maintenance.job.runs");
        using var durations = new MetricCollector<double>(replica.Meters, "maintenance.job.duration");
        await replica.RunAsync(Midnight);
        runs.Measurements.Where(measurement => measurement.Value == 0).Select(measurement => measurement.Tags["outcome"]).Order(StringComparer.Ordinal)
            .ShouldBe(["canceled", "failed", "skipped", "success"]);
        runs.Sum(("task", RunnerHarness.JobName), ("outcome", "success")).ShouldBe(1);
        durations.Measurements.ShouldHaveSingleItem();
        replica.Logs.WithEvent(2000).Count.ShouldBe(1);
    }

    [Fact]
    public async Task RunAsync_KeepsTheLast50Results_WithATtl()
    {
        await using var replica = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask);
        for (var i = 0; i < 53; i++)
        {
            await replica.RunAsync();
        }

        var key = $"maintenance:results:{{{RunnerHarness.JobName}}}";
        (await redis.Server.IntegerAsync("LLEN", key)).ShouldBe(50);
        TimeSpan.FromMilliseconds(await redis.Server.IntegerAsync("PTTL", key)).TotalDays.ShouldBeInRange(29.9, 30);
        TimeSpan.FromMilliseconds(await redis.Server.IntegerAsync("PTTL", $"maintenance:last-success:{{{RunnerHarness.JobName}}}")).TotalDays.ShouldBeInRange(399, 400);
    }

    [Fact]
    public async Task RunAsync_ByDryRun_LeavesTheLastSuccess()
    {
        await using var replica = new RunnerHarness(redis.Server.Url, (_, _) => Task.CompletedTask);
        (await replica.RunAsync(dryRun: true)).Outcome.ShouldBe(JobOutcome.Success);
        (await redis.Server.KeysAsync("maintenance:last-success:*")).ShouldBeEmpty();
    }

    /// <summary>A replica whose runs last until it is stopped.</summary>
    private RunnerHarness Holder(TaskCompletionSource entered) => new(
        redis.Server.Url,
        async (_, cancellationToken) =>
        {
            entered.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        },
        "holder");
}
