using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Tests.Scheduling;

public sealed class WorkBudgetTests
{
    private readonly ManualTimeProvider time = new();

    [Fact]
    public async Task SpendAsync_KeepsTheDutyCycle()
    {
        var budget = new WorkBudget(new BudgetOptions { DutyCycle = 0.25, CommandsPerSecond = 1_000_000 }, time);
        (await PauseAfterAsync(budget, commands: 50, took: TimeSpan.FromMilliseconds(10))).ShouldBe(TimeSpan.FromMilliseconds(30));
    }

    [Fact]
    public async Task SpendAsync_KeepsTheRate_WhenThatIsSlower()
    {
        var budget = new WorkBudget(new BudgetOptions { DutyCycle = 1, CommandsPerSecond = 100 }, time);
        (await PauseAfterAsync(budget, commands: 50, took: TimeSpan.FromMilliseconds(10))).ShouldBe(TimeSpan.FromMilliseconds(490));
    }

    [Fact]
    public async Task SpendAsync_SlowsDown_WhileRedisAnswersSlowly_AndRecovers()
    {
        var budget = new WorkBudget(new BudgetOptions { DutyCycle = 0.5, CommandsPerSecond = 1_000_000, SlowdownRatio = 3 }, time);
        await PauseAfterAsync(budget, 10, TimeSpan.FromMilliseconds(10));
        budget.Slowdown.ShouldBe(1);

        for (var i = 0; i < 20; i++)
        {
            await PauseAfterAsync(budget, 10, TimeSpan.FromMilliseconds(100));
        }

        budget.Slowdown.ShouldBeGreaterThan(3);
        (await PauseAfterAsync(budget, 10, TimeSpan.FromMilliseconds(100))).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(300));

        for (var i = 0; i < 40; i++)
        {
            await PauseAfterAsync(budget, 10, TimeSpan.FromMilliseconds(10));
        }

        budget.Slowdown.ShouldBe(1);
    }

    [Fact]
    public async Task SpendAsync_DoesNotPauseForAMultipleOfAStandstill()
    {
        var budget = new WorkBudget(new BudgetOptions { DutyCycle = 0.25, CommandsPerSecond = 1_000_000 }, time);
        for (var i = 0; i < 20; i++)
        {
            await PauseAfterAsync(budget, 10, TimeSpan.FromMilliseconds(1));
        }

        (await PauseAfterAsync(budget, 10, TimeSpan.FromSeconds(4))).ShouldBeLessThan(TimeSpan.FromSeconds(2));

        // But a Redis that has become as slow as that is soon spared.
        var pause = TimeSpan.Zero;
        for (var i = 0; i < 20; i++)
        {
            pause = await PauseAfterAsync(budget, 10, TimeSpan.FromMilliseconds(400));
        }

        pause.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(400 * 3 * 8));
    }

    [Fact]
    public async Task SpendAsync_ComparesABatchWithItsLike_SoThatSmallOnesAmongLargeAreNotTakenForASlowRedis()
    {
        // A round trip of 0.3 ms, and 5 us a command: a command of a batch of one takes 28 times as long as one of fifty, and Redis is as fast as ever.
        var budget = new WorkBudget(new BudgetOptions { DutyCycle = 0.5, CommandsPerSecond = 1_000_000 }, time);
        async Task SpendAsync(string kind, int commands, double slower = 1) =>
            await PauseAfterAsync(budget, commands, TimeSpan.FromMilliseconds((0.3 + (0.005 * commands)) * slower), kind);

        for (var i = 0; i < 50; i++)
        {
            await SpendAsync("scan", 11);
            budget.Slowdown.ShouldBe(1);
            await SpendAsync("members", 50);
            budget.Slowdown.ShouldBe(1);
            await SpendAsync("members", 1);
            budget.Slowdown.ShouldBe(1);
        }

        for (var i = 0; i < 20; i++)
        {
            await SpendAsync("members", 1, slower: 10);
        }

        budget.Slowdown.ShouldBeGreaterThan(3);
    }

    [Fact]
    public async Task SpendAsync_NeverPauses_AtFullSpeed()
    {
        var budget = WorkBudget.FullSpeed(time);
        (await PauseAfterAsync(budget, 500, TimeSpan.FromMilliseconds(100))).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task SpendAsync_EndsItsPauseAtOnce_WhenCanceled()
    {
        using var stop = new CancellationTokenSource();
        var budget = new WorkBudget(new BudgetOptions { CommandsPerSecond = 1 }, time);
        var spending = budget.SpendAsync("scan", 100, () => Task.FromResult(1), stop.Token);
        spending.IsCompleted.ShouldBeFalse();
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => spending);
    }

    /// <summary>Spends one batch that takes a time and returns how long the budget paused after it.</summary>
    private async Task<TimeSpan> PauseAfterAsync(WorkBudget budget, int commands, TimeSpan took, string kind = "scan")
    {
        var ended = DateTimeOffset.MinValue;
        var spending = budget.SpendAsync(
            kind,
            commands,
            () =>
            {
                time.Advance(took);
                ended = time.GetUtcNow();
                return Task.FromResult(0);
            },
            CancellationToken.None);
        while (!spending.IsCompleted)
        {
            await Eventually.TrueAsync(() => spending.IsCompleted || time.PendingTimers > 0);
            if (!spending.IsCompleted)
            {
                time.Advance(TimeSpan.FromMilliseconds(1));
            }
        }

        await spending;
        return time.GetUtcNow() - ended;
    }
}
