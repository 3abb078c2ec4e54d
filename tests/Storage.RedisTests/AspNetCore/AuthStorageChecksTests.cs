using System.Net;
using Maintenance.Storage.AspNetCore.Health;
using Maintenance.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Storage.RedisTests.AspNetCore;

public sealed class AuthStorageChecksTests
{
    [Fact]
    public async Task Readiness_FollowsRedis_AndLivenessDoesNot()
    {
        await using var own = await RedisServer.StartAsync();
        await using var host = await HostOnRedis.StartAsync(
            own,
            services => services.AddHealthChecks().AddAuthStorageChecks(),
            app =>
            {
                app.MapHealthChecks("/live", new HealthCheckOptions { Predicate = _ => false });
                app.MapHealthChecks("/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(AuthStorageHealthChecks.ReadyTag) });
            });
        (await StatusAsync(host, "/ready")).ShouldBe(HttpStatusCode.OK);

        await own.StopAsync();

        (await StatusAsync(host, "/ready")).ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await StatusAsync(host, "/live")).ShouldBe(HttpStatusCode.OK);
        await own.RestartAsync();
        await Eventually.TrueAsync(async () => await StatusAsync(host, "/ready") == HttpStatusCode.OK, TimeSpan.FromSeconds(60));
    }

    private static async Task<HttpStatusCode> StatusAsync(HostOnRedis host, string path)
    {
        using var answer = await host.SendAsync(path);
        return answer.StatusCode;
    }
}
