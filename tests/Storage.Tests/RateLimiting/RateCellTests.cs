using Maintenance.Storage.RateLimiting;

namespace Maintenance.Storage.Tests.RateLimiting;

public sealed class RateCellTests
{
    private const long Second = 1_000_000;

    [Fact]
    public void Acquire_MakesEachBlockTwiceAsLongUpToTheLongest()
    {
        var limit = new RateNumbers(Second, 1, Threshold: 1, 10 * Second, 60 * Second, 1000 * Second);
        RateCell? cell = null;
        var now = 1000 * Second;
        var blocks = new List<long>();
        for (var i = 0; i < 5; i++)
        {
            (_, var taken) = RateCell.Acquire(cell, limit, 1, now);
            var (answer, blocked) = RateCell.Acquire(taken!.Value.Cell, limit, 1, now);
            answer.Decision.ShouldBe(RateLimitDecision.Penalized);
            RateCell.Acquire(blocked!.Value.Cell, limit, 1, now + answer.Retry - 1).Answer.Decision.ShouldBe(RateLimitDecision.Penalized);
            cell = blocked.Value.Cell;
            blocks.Add(answer.Retry / Second);
            now += answer.Retry;
        }

        blocks.ShouldBe([10, 20, 40, 60, 60]);
    }

    [Fact]
    public void Acquire_ForgetsOneStepADecayAfterABlock()
    {
        var limit = new RateNumbers(Second, 1, Threshold: 1, 10 * Second, 1000 * Second, 100 * Second);
        // Three blocks so far, the last one over at 5000 s.
        var offender = new RateCell(5000 * Second, 5000 * Second, 0, 3, 5000 * Second);

        Block(offender, 5000).ShouldBe(80);
        Block(offender, 5099).ShouldBe(80);
        Block(offender, 5100).ShouldBe(40);
        Block(offender, 5250).ShouldBe(20);
        Block(offender, 5300).ShouldBe(10);
        Block(offender, 9000).ShouldBe(10);

        long Block(RateCell cell, long second)
        {
            var taken = RateCell.Acquire(cell, limit, 1, second * Second).Write!.Value.Cell;
            return RateCell.Acquire(taken, limit, 1, second * Second).Answer.Retry / Second;
        }
    }

    [Fact]
    public void Acquire_ForgetsScatteredDenials()
    {
        var limit = new RateNumbers(Second, 1, Threshold: 2, 10 * Second, 60 * Second, 100 * Second);
        var taken = RateCell.Acquire(null, limit, 1, 1000 * Second).Write!.Value.Cell;
        var denied = RateCell.Acquire(taken, limit, 1, 1000 * Second).Write!.Value.Cell;

        RateCell.Acquire(denied with { Tat = 1101 * Second }, limit, 1, 1100 * Second).Answer.Decision.ShouldBe(RateLimitDecision.Denied);
        RateCell.Acquire(denied with { Tat = 1100 * Second }, limit, 1, 1099 * Second).Answer.Decision.ShouldBe(RateLimitDecision.Penalized);
    }

    [Fact]
    public void Refund_GivesBackNoMoreThanHasNotComeBackByItself()
    {
        var limit = new RateNumbers(10 * Second, 5, 0, 1, 1, 1);
        var cell = RateCell.Acquire(null, limit, 2, 1000 * Second).Write!.Value.Cell;

        cell.Refund(limit, 2, 1000 * Second, 1000 * Second)!.Value.Tat.ShouldBe(1000 * Second);
        cell.Refund(limit, 2, 1000 * Second, 1005 * Second)!.Value.Tat.ShouldBe(1005 * Second);
        // At 1030 s the charge has come back; another's charge of that time is not touched.
        var other = RateCell.Acquire(cell, limit, 1, 1030 * Second).Write!.Value.Cell;
        other.Refund(limit, 2, 1000 * Second, 1030 * Second).ShouldBeNull();
    }

    [Fact]
    public void Of_RoundsTheIntervalUpAndLeavesAPermitOfAnyShare()
    {
        RateNumbers.Of(new RateLimitPolicy { Permits = 7, Period = TimeSpan.FromSeconds(1) }).Interval.ShouldBe(142_858);
        var share = RateNumbers.Of(new RateLimitPolicy { Permits = 1, Period = TimeSpan.FromSeconds(1) }, 0.01);
        (share.Interval, share.Burst).ShouldBe((Second, 1));
    }
}
