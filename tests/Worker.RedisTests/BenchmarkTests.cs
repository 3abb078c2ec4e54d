using Maintenance.Testing;

namespace Maintenance.Worker.RedisTests;

/// <summary>The benchmarks are programs that nobody runs every day: here each runs for a moment, so that none rots. Their figures then mean nothing.</summary>
public sealed class BenchmarkTests
{
    [Fact]
    public async Task Benchmarks_Run_Shortly()
    {
        // Not the web host's: it needs wrk and minutes, and its parts are what the host's own tests run.
        await using var bench = ChildProcess.StartOurs("Bench", ["--quick", "bytes", "validate", "outage", "sweep", "foreign"]);

        (await bench.WaitForExitAsync(TimeSpan.FromSeconds(300))).ShouldBe(0, bench.Tail());

        var output = string.Join('\n', bench.Output);
        foreach (var row in (string[])["record (at most 360)", "validate / GET", "reconciliation / bare SCAN", "pass / bare SCAN"])
        {
            output.ShouldContain(row);
        }
    }

    [Fact]
    public async Task Benchmarks_NameWhatThereIs_WhenAskedForAnother()
    {
        await using var bench = ChildProcess.StartOurs("Bench", ["--quick", "nothing"]);

        (await bench.WaitForExitAsync(TimeSpan.FromSeconds(60))).ShouldBe(2);

        string.Join('\n', bench.Errors).ShouldContain("validate");
    }
}
