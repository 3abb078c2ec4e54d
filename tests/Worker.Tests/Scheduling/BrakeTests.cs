using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Tests.Scheduling;

public sealed class BrakeTests
{
    private readonly Brake brake = new(new BrakeOptions { Share = 0.2, Minimum = 1000 });

    [Theory]
    [InlineData(10, 1000)]
    [InlineData(100_000, 20_000)]
    public void Check_Passes_UpToTheLargerOfShareAndMinimum(long seen, long removals) => brake.Check(seen, removals, "sessions");

    [Theory]
    [InlineData(10, 1001)]
    [InlineData(100_000, 20_001)]
    public void Check_Stops_BeyondIt(long seen, long removals) =>
        Should.Throw<BrakeException>(() => brake.Check(seen, removals, "sessions")).Message.ShouldContain($"{removals} of {seen} sessions");
}
