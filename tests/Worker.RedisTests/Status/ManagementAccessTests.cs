using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Status;

public sealed class ManagementAccessTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    [Fact]
    public async Task Run_IsOff_AndSaysWhichSettingTurnsItOn_WithoutAConfiguredToken()
    {
        await using var worker = await WorkerProcess.StartAsync(redis.Server.Url, ("Management__Token", ""));
        var (status, body) = await worker.SendAsync(HttpMethod.Post, $"/api/jobs/{JobNames.RedisHealth}/run", token: "anything");
        status.ShouldBe(403);
        body.GetProperty("error").GetString()!.ShouldContain("Management:Token");
    }

    [Fact]
    public async Task Jobs_AreShown_AndRunWhenTheyMay_WhileRedisRefusesThePausesKey()
    {
        await using var server = await RedisServer.StartAsync();
        await server.ExecuteAsync("HSET", "maintenance:pause", "a", "field");
        await using var worker = await WorkerProcess.StartAsync(server.Url);
        (await worker.StatusAsync("/api/jobs")).ShouldBe(200);
        // Another check gives Redis less than a second, and is a 503 then.
        await Eventually.SucceedsAsync(async () =>
            (await worker.JsonAsync("/health")).GetProperty("checks").GetProperty("pause").GetProperty("description").GetString()!.ShouldContain("WRONGTYPE"));
        (await worker.SendAsync(HttpMethod.Post, $"/api/jobs/{JobNames.RedisHealth}/run")).Status.ShouldBeOneOf(202, 409);
        // A scheduled run may be asking for its lease at this very moment.
        var status = 0;
        await Eventually.TrueAsync(async () => (status = (await worker.SendAsync(HttpMethod.Post, $"/api/jobs/{JobNames.SessionCleanup}/run")).Status) != 409);
        status.ShouldBe(503);
    }

    [Fact]
    public async Task RequireToken_LeavesOnlyProbesAndMetricsOpen()
    {
        await using var worker = await WorkerProcess.StartAsync(redis.Server.Url, ("Management__RequireToken", "true"));
        foreach (var open in new[] { "/metrics", "/healthz/live", "/healthz/ready", "/healthz/startup" })
        {
            // Whether it is ready depends on Redis, which a busy machine may keep waiting for a moment.
            await Eventually.TrueAsync(async () => await worker.StatusAsync(open) == 200, because: open);
        }

        foreach (var closed in new[] { "/", "/health", "/api/jobs", $"/api/jobs/{JobNames.RedisHealth}", "/metrics/x" })
        {
            (await worker.StatusAsync(closed)).ShouldBe(401, closed);
        }

        (await worker.SendAsync(HttpMethod.Get, "/api/jobs")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task WrongTokens_AreLinesInTheLog_AndAfterTenNoneIsLookedAtForAMinute()
    {
        await using var worker = await WorkerProcess.StartAsync(redis.Server.Url);
        for (var i = 0; i < 10; i++)
        {
            (await worker.SendAsync(HttpMethod.Post, $"/api/jobs/{JobNames.RedisHealth}/run", token: "not-the-token-of-it")).Status.ShouldBe(401);
        }

        (await worker.SendAsync(HttpMethod.Post, $"/api/jobs/{JobNames.RedisHealth}/run", token: "not-the-token-of-it")).Status.ShouldBe(429);
        (await worker.SendAsync(HttpMethod.Post, $"/api/jobs/{JobNames.RedisHealth}/run")).Status.ShouldBe(429, "else it could be guessed all the same");
        (await worker.StatusAsync("/api/jobs")).ShouldBe(200, "what needs no token is shown");
        await worker.Process.WaitForLineAsync(
            line => line.Contains("A wrong management token from 127.0.0.1: 10 within a minute", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
        worker.Process.Output.Concat(worker.Process.Errors).ShouldNotContain(line => line.Contains("not-the-token-of-it", StringComparison.Ordinal));
    }
}
