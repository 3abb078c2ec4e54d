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
                new RedisOptions { Url = server.Url, Deadline = TimeSpan.FromMilliseconds(100), ConnectTimeout = TimeSpan.FromSeconds(20) });
            await Should.ThrowAsync<StorageUnavailableException>(() => harness.LogInAsync("u"));
            var started = Stopwatch.GetTimestamp();

            await harness.DisposeAsync();

            Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(2));
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
                // The machine that runs this may be busy; a client without deadlines waits 75 s here.
                Stopwatch.GetElapsedTime(started).TotalSeconds.ShouldBeInRange(0.2, 2);
            }

            harness.Log.WithEvent(1004).ShouldNotBeEmpty();
        }
        finally
        {
            await server.ResumeAsync();
        }

        // What was sent before the pause may have been carried out since; a new log-in proves the way is free.
        await Eventually.TrueAsync(async () => (await harness.ValidateAsync(await harness.LogInAsync("v"))).IsValid, TimeSpan.FromSeconds(4));
    }

    [Fact]
    public async Task PausedRedis_HoldsNoCallThatIsCancelled()
    {
        await using var server = await RedisServer.StartAsync();
        await using var harness = new StoreHarness(server.Url, deadline: TimeSpan.FromSeconds(30));
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
            Stopwatch.GetElapsedTime(started).TotalSeconds.ShouldBeLessThan(5);
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
        await using var harness = new StoreHarness(new RedisOptions { Url = server.Url, Deadline = TimeSpan.FromSeconds(1) });
        var issued = await WarmUpAsync(harness);

        await server.KillAsync();
        await Eventually.TrueAsync(() => !harness.Connection.IsConnected);
        for (var i = 0; i < 20; i++)
        {
            var started = Stopwatch.GetTimestamp();
            (await Should.ThrowAsync<StorageUnavailableException>(() => harness.ValidateAsync(issued))).Reason.ShouldBe(UnavailableReason.Connection);
            Stopwatch.GetElapsedTime(started).TotalMilliseconds.ShouldBeLessThan(500);
        }

        await server.RestartAsync();
        await Eventually.TrueAsync(async () => (await harness.ValidateAsync(issued)).IsValid, TimeSpan.FromSeconds(2));
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
        (await harness.Connection.ConnectAsync(None)).ShouldBeTrue();
        var issued = await harness.LogInAsync("u");
        (await harness.ValidateAsync(issued)).IsValid.ShouldBeTrue();
        return issued;
    }
}
