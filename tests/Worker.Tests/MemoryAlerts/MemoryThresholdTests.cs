using Maintenance.Worker.MemoryAlerts;

namespace Maintenance.Worker.Tests.MemoryAlerts;

public sealed class MemoryThresholdTests
{
    [Theory]
    [InlineData(false, 0.79, false)]
    [InlineData(false, 0.80, true)]
    [InlineData(true, 0.79, true)]
    [InlineData(true, 0.76, true)]
    [InlineData(true, 0.75, false)]
    [InlineData(true, 0.5, false)]
    public void Next_BeginsAtTheThresholdAndEndsBelowIt(bool fired, double ratio, bool expected) =>
        MemoryThreshold.Next(fired, ratio, threshold: 0.8, clearBelow: 0.05).ShouldBe(expected);

    [Fact]
    public void Next_DoesNotComeAndGo_WhileMemorySwaysAroundTheThreshold()
    {
        var changes = 0;
        var fired = false;
        foreach (var ratio in (double[])[0.79, 0.81, 0.79, 0.80, 0.78, 0.82, 0.76])
        {
            var next = MemoryThreshold.Next(fired, ratio, 0.8, 0.05);
            changes += next == fired ? 0 : 1;
            fired = next;
        }

        changes.ShouldBe(1);
    }
}
