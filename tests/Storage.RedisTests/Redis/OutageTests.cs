using System.Diagnostics;
using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Redis;

/// <summary>Redis paused, killed, restarted. Each test has a server of its own.</summary>
public sealed class OutageTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Dispose_DoesNotWait_ForAnAttemptThatGetsNoAnswer()
    {
        await using var server = await RedisServer.StartAsync();
        await server.PauseAsync();
        try
        {
            var harness = new StoreHarness(
                new RedisOptions { Url = server.Url, Deadline = TimeSpan.FromMilliseconds(100), ConnectTimeout = TimeSpan.FromSeconds(60) });
            await Should.ThrowAsync<StorageUnavailableException>(() => harness.LogInAsync("u"));
            var started = Stopwatch.GetTimestamp();

            await harness.DisposeAsync();

            // The machine that runs this may be busy; the attempt lasts much longer.
            Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(20));
        }
        finally
        {
            await server.ResumeAsync();
        }
    }

    [Fact]
    public async Task PausedRedis_EndsEveryCallAtTheDeadline_AndTheConnectionIsReplaced()
    {
        await using var server = await RedisServer.StartAsync();
        await using var harness = new StoreHarness(
            new RedisOptions { Url = server.Url, Deadline = TimeSpan.FromMilliseconds(250), DeadlinesBeforeReconnect = 3 });
        var issued = await WarmUpAsync(harness);
        await server.PauseAsync();
        try
        {
            Func<Task>[] calls =
            [
                () => harness.ValidateAsync(issued),
                () => harness.LogInAsync("u"),
                () => harness.Store.ListAsync("u", None),
                () => harness.Store.RevokeAsync("u", issued.Token.Id, None),
                () => harness.Store.RevokeAllAsync("u", null, None),
                () => harness.Store.RotateAsync(issued.Token.Value, new SessionChanges(), None),
                () => harness.ValidateAsync(issued),
            ];
            foreach (var call in calls)
            {
                var started = Stopwatch.GetTimestamp();
                var failure = await Should.ThrowAsync<StorageUnavailableException>(call);
                failure.Reason.ShouldBeOneOf(UnavailableReason.Deadline, UnavailableReason.Connection);
                // The machine that runs this may be busy; a client without deadlines waits 75 s here. Without a connection a call may fail at once: the
                // new one is given up after 5 s, which is sooner than the last of these calls if something stood still.
                Stopwatch.GetElapsedTime(started).TotalSeconds.ShouldBeInRange(failure.Reason == UnavailableReason.Deadline ? 0.2 : 0, 20);
            }

            harness.Log.WithEvent(1004).ShouldNotBeEmpty();
        }
        finally
        {
            await server.ResumeAsync();
        }

        // What was sent before the pause may have been carried out since; a new log-in proves the way is free.
        await Eventually.TrueAsync(async () => (await harness.ValidateAsync(await harness.LogInAsync("v"))).IsValid);
    }

    [Fact]
    public async Task PausedRedis_HoldsNoCallThatIsCancelled()
    {
        await using var server = await RedisServer.StartAsync();
        await using var harness = new StoreHarness(server.Url, deadline: TimeSpan.FromMinutes(2));
        var issued = await WarmUpAsync(harness);
        using var cancellation = new CancellationTokenSource();
        await server.PauseAsync();
        try
        {
            var started = Stopwatch.GetTimestamp();
            var pending = harness.Store.ValidateAsync(issued.Token.Value, cancellation.Token);
            pending.IsCompleted.ShouldBeFalse();

            await cancellation.CancelAsync();

            await Should.ThrowAsync<OperationCanceledException>(pending);
            Stopwatch.GetElapsedTime(started).TotalSeconds.ShouldBeLessThan(30);
        }
        finally
        {
            await server.ResumeAsync();
        }
    }

    [Fact]
    public async Task KilledRedis_FailsFast_AndIsFoundAgainWithinTwoSeconds()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { AppendOnly = true });
        await using var harness = new StoreHarness(server.Url);
        var issued = await WarmUpAsync(harness);
        var found = new List<double>();
        // One restart is enough, unless the machine stands still just then.
        while (found.Count == 0 || (found.Min() >= 2 && found.Count < 5))
        {
            await server.KillAsync();
            await Eventually.TrueAsync(() => !harness.Connection.IsConnected);
            var failing = new List<double>();
            for (var i = 0; i < 20; i++)
            {
                var asked = Stopwatch.GetTimestamp();
                (await Should.ThrowAsync<StorageUnavailableException>(() => harness.ValidateAsync(issued))).Reason.ShouldBe(UnavailableReason.Connection);
                failing.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            }

            // Half of them: some may meet a machine that stands still.
            failing.Order().ElementAt(10).ShouldBeLessThan(500);
            await server.RestartAsync();
            var started = Stopwatch.GetTimestamp();
            await Eventually.TrueAsync(async () => (await harness.ValidateAsync(issued)).IsValid);
            found.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        found.Min().ShouldBeLessThan(2);
    }

    [Fact]
    public async Task RedisThatIsNotUpYet_IsFoundWhenItComes()
    {
        await using var server = await RedisServer.StartAsync();
        await server.KillAsync();
        await using var harness = new StoreHarness(server.Url, deadline: TimeSpan.FromSeconds(1));

        (await harness.Connection.ConnectAsync(None)).ShouldBeFalse();
        await Should.ThrowAsync<StorageUnavailableException>(() => harness.LogInAsync("u"));
        await server.RestartAsync();

        await Eventually.TrueAsync(async () => (await harness.ValidateAsync(await harness.LogInAsync("u"))).IsValid);
    }

    [Fact]
    public async Task NameThatDoesNotResolve_IsUnavailable_AtEveryCall()
    {
        await using var harness = new StoreHarness(new RedisOptions { Host = "no-such-host.invalid", Deadline = TimeSpan.FromSeconds(1) });

        for (var i = 0; i < 3; i++)
        {
            (await Should.ThrowAsync<StorageUnavailableException>(() => harness.LogInAsync("u"))).Reason.ShouldBe(UnavailableReason.Connection);
        }
    }

    private static async Task<IssuedSession> WarmUpAsync(StoreHarness harness)
    {
        // Deadlines are short here, and the first use of everything takes long on a busy machine.
        await Eventually.TrueAsync(() => harness.Connection.ConnectAsync(None));
        var issued = await Eventually.NotNullAsync<IssuedSession>(async () => await harness.LogInAsync("u"));
        await Eventually.TrueAsync(async () => (await harness.ValidateAsync(issued)).IsValid);
        return issued;
    }
}
