using System.Text.Json;
using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.ForeignLayouts;

/// <summary>A store of another program, as an operator meets it.</summary>
public sealed class ForeignCommandTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly (string Name, string? Value)[] Settings =
    [
        ("KeySpaces__express__Sessions", "sess:{session}"),
        ("KeySpaces__express__UserPath", "passport.user"),
        ("KeySpaces__express__Index", "user_sessions:{user}"),
        ("KeySpaces__express__Grace", "00:00:00"),
        ("KeySpaces__express__Action", "Repair"),
        // On a busy machine a program's first call takes long.
        ("Storage__Redis__Deadline", "00:00:20"),
    ];

    [Fact]
    public async Task OtherProgramsStore_IsFoundFromTheCommandLine_AndInTheMetrics()
    {
        await redis.Server.FlushAllAsync();
        var program = new ExpressProgram(redis.Server.ExecuteRawAsync);
        var session = await program.LogInAsync("ann");
        await program.UnlistAsync("ann", session);
        await program.EndAsync("bob", await program.LogInAsync("bob"));
        string[] run = ["run", JobNames.IndexReconciliation, "--json"];

        var (exit, output, errors) = await WorkerProcess.VerbAsync(redis.Server.Url, [.. run, "--dry-run"], Settings);
        exit.ShouldBe(3, errors);
        Result(output).Counts["drift_express_missing"].ShouldBe(1);
        (output + errors).ShouldNotContain(session);

        (await WorkerProcess.VerbAsync(redis.Server.Url, run, Settings)).Exit.ShouldBe(0);
        var mended = await WorkerProcess.VerbAsync(redis.Server.Url, run, Settings);
        Result(mended.Output).Counts["foreign_express_mended"].ShouldBe(2);
        (await program.IsListedAsync("ann", session)).ShouldBeTrue();

        await using var worker = await WorkerProcess.StartAsync(redis.Server.Url, [.. Settings.Select(setting => (setting.Name, setting.Value!)), ("Jobs__IndexReconciliation__Jitter", "00:00:01")]);
        await Eventually.TrueAsync(
            async () =>
            {
                var metrics = await worker.Http.GetStringAsync("/metrics");
                return metrics.Contains("maintenance_index_drift_members{keyspace=\"express\",kind=\"missing\"}", StringComparison.Ordinal)
                    && metrics.Contains("maintenance_foreign_sessions{keyspace=\"express\"} 1\n", StringComparison.Ordinal)
                    && metrics.Contains("maintenance_index_repairs_total{keyspace=\"express\",kind=\"dangling\"} 0", StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(120));
    }

    private static JobResult Result(string json) => JsonSerializer.Deserialize<JobResult>(json, JobResultJson.Options)!;
}
