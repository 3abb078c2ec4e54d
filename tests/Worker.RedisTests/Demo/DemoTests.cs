using System.Text.Json;
using Maintenance.Testing;

namespace Maintenance.Worker.RedisTests.Demo;

/// <summary>The demo as a newcomer runs it: the built program, on the embedded store and on a real server.</summary>
public sealed class DemoTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(300);

    // On a busy machine the first connection takes its time, and without it the first call fails at once.
    private static readonly KeyValuePair<string, string?> Connects = new("Storage__Redis__ConnectTimeout", $"{JobHarness.Patience}");

    [Fact]
    public async Task Demo_FindsWhatItPlanted_OnTheEmbeddedStore()
    {
        await using var demo = ChildProcess.StartOurs("Worker", ["demo", "--json", "--users", "2000"], new Dictionary<string, string?>([Connects]));

        (await demo.WaitForExitAsync(Patience)).ShouldBe(0, demo.Tail());

        ShouldAgree(demo);
    }

    [Fact]
    public async Task Demo_FindsWhatItPlanted_OnARealServer_AndLeavesNothingBehind()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.ExecuteAsync("SET", "somebody:else", "stays");
        await redis.ExecuteAsync("SET", "session:legacy", "stays too");
        // As it would be in a real worker's pod: its archive is not the demo's.
        await using var demo = ChildProcess.StartOurs(
            "Worker",
            ["demo", "--json", "--users", "2000", "--redis", redis.Url, "--prefix", "trial:"],
            new Dictionary<string, string?>([Connects]) { ["Archive__ConnectionString"] = "Host=127.0.0.1;Port=1;Database=real;Username=u;Password=p" });

        (await demo.WaitForExitAsync(Patience)).ShouldBe(0, demo.Tail());

        ShouldAgree(demo);
        (await redis.KeysAsync()).Order().ShouldBe(["session:legacy", "somebody:else"]);
    }

    [Fact]
    public async Task Demo_RefusesAPrefixThatHoldsKeys()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.ExecuteAsync("SET", "trial:x", "not the demo's");
        await using var demo = ChildProcess.StartOurs("Worker", ["demo", "--exit", "--redis", redis.Url, "--prefix", "trial:"], new Dictionary<string, string?>([Connects]));

        (await demo.WaitForExitAsync(Patience)).ShouldBe(2);

        string.Join('\n', demo.Errors).ShouldContain("trial:");
        (await redis.KeysAsync()).ShouldBe(["trial:x"]);
    }

    [Fact]
    public async Task Demo_GoesOnServing_UntilItIsEnded_AndRemovesItsKeys()
    {
        await using var redis = await RedisServer.StartAsync();
        var port = FreePort.Next();
        await using var demo = ChildProcess.StartOurs(
            "Worker", ["demo", "--users", "1000", "--redis", redis.Url], new Dictionary<string, string?>([Connects]) { ["Management__Port"] = $"{port}" });

        await demo.WaitForLineAsync(line => line.Contains($"http://127.0.0.1:{port}/metrics", StringComparison.Ordinal), Patience);
        using var http = new HttpClient();
        await Eventually.TrueAsync(async () =>
        {
            var metrics = await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"));
            // The results of one job are read after those of the other.
            return metrics.Contains("maintenance_index_drift_members{keyspace=\"native\",kind=\"dangling\"}", StringComparison.Ordinal)
                && metrics.Contains("maintenance_sessions_active ", StringComparison.Ordinal);
        });

        await demo.SignalAsync(Signal.Terminate);
        (await demo.WaitForExitAsync(TimeSpan.FromSeconds(60))).ShouldBe(0, demo.Tail());
        (await redis.KeysAsync()).ShouldBeEmpty();
    }

    private static void ShouldAgree(ChildProcess demo)
    {
        using var json = JsonDocument.Parse(string.Join('\n', demo.Output));
        var planted = Counts(json, "planted");
        planted.Count.ShouldBe(12);
        planted.Values.ShouldAllBe(count => count > 0);
        Counts(json, "found").ShouldBe(planted);
        Counts(json, "repaired").ShouldBe(planted);
        Counts(json, "second_pass").Values.ShouldAllBe(count => count == 0);
        json.RootElement.GetProperty("live_sessions_lost").GetInt32().ShouldBe(0);
        json.RootElement.GetProperty("revoked_sessions_alive").GetInt32().ShouldBe(0);
        json.RootElement.GetProperty("live_tokens_lost").GetInt32().ShouldBe(0);
        json.RootElement.GetProperty("dead_tokens_alive").GetInt32().ShouldBe(0);
    }

    private static Dictionary<string, long> Counts(JsonDocument json, string name) =>
        json.RootElement.GetProperty(name).EnumerateObject().ToDictionary(count => count.Name, count => count.Value.GetInt64());
}
