using Maintenance.Testing;

namespace Maintenance.Worker.RedisTests.Hosting;

public sealed class DeadlineWarningTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    [Fact]
    public async Task DeadlineThatOutlastsTheShutdown_IsAWarningAtTheStart_AndAShorterOneIsNone()
    {
        const string warning = "Storage:Redis:Deadline is 8 s, and a worker that is ended has 8 s";
        await using var patient = await WorkerProcess.StartAsync(redis.Server.Url, ("Storage__Redis__Deadline", "00:00:08"));
        await patient.Process.WaitForLineAsync(line => line.Contains(warning, StringComparison.Ordinal), TimeSpan.FromSeconds(60));

        await using var usual = await WorkerProcess.StartAsync(redis.Server.Url, ("Storage__Redis__Deadline", "00:00:07.9"));
        // It says what it has to say of its settings before it ends.
        await usual.TerminateAsync();
        string.Join('\n', usual.Process.Output.Concat(usual.Process.Errors)).ShouldNotContain("Storage:Redis:Deadline is");
    }
}
