using Maintenance.Testing;
using Maintenance.Worker.RedisHealth;

namespace Maintenance.Worker.RedisTests.RedisHealth;

/// <summary>A probe on a server with a password.</summary>
public sealed class ProbePasswordTests
{
    [Fact]
    public async Task Probe_AuthenticatesAndKeepsThePasswordToItself()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { Password = "p,ss:w rd" });
        using var harness = new ProbeHarness(server);

        var result = await JobHarness.RunAsync(harness.Job, harness.Metrics);

        harness.Latest.Value!.Status.ShouldBe(HealthStatus.Healthy);
        result.Snapshot!.Value.GetRawText().ShouldNotContain("p,ss");
    }

    [Fact]
    public async Task Probe_IsUnhealthy_WhenThePasswordIsWrong()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { Password = "right" });
        var options = JobHarness.Options(server);
        options.Url = $"redis://:wrong@{server.Endpoint}";
        using var harness = new ProbeHarness([RedisNode.From(options)]);

        // Each is a new client, and comes upon the refusal at another moment.
        for (var probe = 0; probe < 5; probe++)
        {
            var node = await harness.ProbeOneAsync();

            node.Status.ShouldBe(HealthStatus.Unhealthy);
            node.Up.ShouldBeFalse();
            var reason = node.Reasons.ShouldHaveSingleItem();
            (reason.Code, reason.See).ShouldBe((HealthReasons.AuthenticationRefused, "Storage:Redis:Password; redis.conf: requirepass, ACL LIST"));
            reason.Text.ShouldNotContain("wrong");
        }
    }
}
