namespace Maintenance.Testing.Tests;

public sealed class ManualTimeProviderTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Delay_Ends_WhenItsTimeHasCome()
    {
        var delay = Task.Delay(TimeSpan.FromSeconds(10), _time);

        _time.Advance(TimeSpan.FromSeconds(9.9));
        delay.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(0.1));

        await delay.WaitAsync(TimeSpan.FromSeconds(60));
        _time.PendingTimers.ShouldBe(0);
    }

    [Fact]
    public void Advance_FiresTimersInOrder_EachAtItsOwnTime()
    {
        var start = _time.GetUtcNow();
        var fired = new List<string>();
        void Note(object? name) => fired.Add($"{name}@{(_time.GetUtcNow() - start).TotalSeconds}");
        using var slow = _time.CreateTimer(Note, "slow", TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan);
        using var periodic = _time.CreateTimer(Note, "periodic", TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));

        _time.Advance(TimeSpan.FromSeconds(5));

        fired.ShouldBe(["periodic@2", "slow@3", "periodic@4"]);
        _time.GetElapsedTime(0).ShouldBe(TimeSpan.FromSeconds(5));
        _time.PendingTimers.ShouldBe(1);
    }

    [Fact]
    public void Timer_DoesNotFire_WhenDisposedOrChangedAway()
    {
        var fired = 0;
        var disposed = _time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        using var changed = _time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);

        disposed.Dispose();
        changed.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _time.Advance(TimeSpan.FromMinutes(1));

        fired.ShouldBe(0);
        disposed.Change(TimeSpan.Zero, TimeSpan.Zero).ShouldBeFalse();
    }

    [Fact]
    public void CancellationTokenSource_IsCancelled_ByAdvance()
    {
        using var source = new CancellationTokenSource(TimeSpan.FromSeconds(2), _time);

        _time.Advance(TimeSpan.FromSeconds(2));

        source.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public async Task Timer_FiresOnThePool_WhenDueAtOnce()
    {
        var fired = new TaskCompletionSource();
        await using var timer = _time.CreateTimer(_ => fired.SetResult(), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);

        await fired.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }
}
