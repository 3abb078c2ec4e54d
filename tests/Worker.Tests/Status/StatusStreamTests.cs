using Maintenance.Testing;
using Maintenance.Worker.Status.Page;
using Microsoft.Extensions.Hosting;

namespace Maintenance.Worker.Tests.Status;

/// <summary>The stream of changes that an open status page reads: who gets a place, what is told, and when it ends.</summary>
public sealed class StatusStreamTests : IDisposable
{
    private readonly ManualTimeProvider time = new();
    private readonly Lifetime lifetime = new();
    private readonly StatusStream stream;
    private string version = "one";

    public StatusStreamTests() => stream = new StatusStream(() => version, lifetime, time);

    public void Dispose() => lifetime.Dispose();

    [Fact]
    public void Places_AreLimited_AndGivenBackOnce()
    {
        var places = Enumerable.Range(0, StatusStream.MostOpen).Select(_ => stream.TryOpen().ShouldNotBeNull()).ToList();
        stream.TryOpen().ShouldBeNull();
        stream.TryOpen().ShouldBeNull("a refusal takes no place");

        places[0].Dispose();
        places[0].Dispose();

        stream.TryOpen().ShouldNotBeNull();
        stream.TryOpen().ShouldBeNull();
    }

    [Fact]
    public async Task Stream_TellsTheVersion_ThenChangesOnly_ThenNowAndThenThatItLives()
    {
        await using var events = stream.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        (await events.MoveNextAsync()).ShouldBeTrue();
        (events.Current.Data, events.Current.EventType, events.Current.ReconnectionInterval).ShouldBe(("one", StatusStream.Event, TimeSpan.FromSeconds(3)));

        var next = events.MoveNextAsync().AsTask();
        await PassAsync(TimeSpan.FromSeconds(5));
        next.IsCompleted.ShouldBeFalse("nothing has changed");
        version = "two";
        await PassAsync(StatusStream.LookInterval);
        (await next).ShouldBeTrue();
        events.Current.Data.ShouldBe("two");

        next = events.MoveNextAsync().AsTask();
        await PassAsync(StatusStream.KeepAlive - StatusStream.LookInterval);
        next.IsCompleted.ShouldBeFalse();
        await PassAsync(StatusStream.LookInterval);
        (await next).ShouldBeTrue("a proxy would close what is silent");
        events.Current.Data.ShouldBe("two");
    }

    [Fact]
    public async Task Stream_EndsAfterItsLongestLife()
    {
        await using var events = stream.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        var told = 0;
        var next = events.MoveNextAsync().AsTask();
        for (var passed = TimeSpan.Zero; passed <= StatusStream.Longest; passed += StatusStream.KeepAlive)
        {
            (await next).ShouldBeTrue($"after {passed}");
            told++;
            next = events.MoveNextAsync().AsTask();
            await PassAsync(StatusStream.KeepAlive);
        }

        (await next).ShouldBeFalse();
        told.ShouldBe((int)(StatusStream.Longest / StatusStream.KeepAlive) + 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stream_EndsWithTheRequest_AndWithTheHost(bool host)
    {
        using var request = new CancellationTokenSource();
        await using var events = stream.ReadAsync(request.Token).GetAsyncEnumerator();
        await events.MoveNextAsync();
        var next = events.MoveNextAsync().AsTask();

        if (host)
        {
            lifetime.StopApplication();
        }
        else
        {
            await request.CancelAsync();
        }

        (await next).ShouldBeFalse();
        time.PendingTimers.ShouldBe(0);
    }

    // A look at a time, as the clock goes: the reader goes on before the next.
    private async Task PassAsync(TimeSpan span)
    {
        for (var passed = TimeSpan.Zero; passed < span; passed += StatusStream.LookInterval)
        {
            time.Advance(StatusStream.LookInterval);
            await Task.Yield();
        }
    }

    private sealed class Lifetime : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource stopping = new();

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => stopping.Cancel();

        public void Dispose() => stopping.Dispose();
    }
}
