using System.Net;
using Maintenance.Testing;

namespace Maintenance.WebHost.RedisTests.Journeys;

/// <summary>What clients see while Redis or PostgreSQL is away: a refusal that says so, and everything again afterwards.</summary>
[Collection(HostGroup.Name)]
public sealed class OutageTests(HostFixture fixture)
{
    [Fact]
    public async Task RedisDead_EverythingIsDeniedAs503_NobodyIsLoggedOut_AndHealthSaysIt()
    {
        await using var redis = await RedisServer.StartAsync(new() { AppendOnly = true });
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["REDIS_URL"] = redis.Url });
        var client = new AuthClient(host.Api);
        var email = await client.RegisterAsync();
        var tokens = await client.LoginAsync(email);

        await redis.KillAsync();

        var verify = await client.PostAsync("/api/auth/verify", token: tokens.Session);
        verify.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        verify.Headers.ShouldContainKey("Retry-After");
        (await client.TryLoginAsync(email)).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await client.PostAsync("/api/auth/logout", token: tokens.Session)).Status.ShouldBe(HttpStatusCode.ServiceUnavailable, "no false success");
        var health = await client.GetAsync("/api/auth/health");
        health.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        health.Json.GetProperty("redis").GetString().ShouldBe("disconnected");
        health.Headers["Retry-After"].ShouldBe("1");
        var probe = await client.GetAsync("/health/redis");
        (probe.Status, probe.Headers.GetValueOrDefault("Retry-After")).ShouldBe((HttpStatusCode.ServiceUnavailable, "1"));
        probe.Json.GetProperty("status").GetString().ShouldBe("unhealthy");
        (await host.Management.GetAsync(new Uri("/healthz/ready", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await host.Management.GetAsync(new Uri("/healthz/live", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.OK);

        await redis.RestartAsync();
        await Eventually.TrueAsync(async () => await client.VerifyAsync(tokens.Session) == HttpStatusCode.OK, TimeSpan.FromSeconds(60));
        var well = await client.GetAsync("/health/redis");
        (well.Status, well.Headers.ContainsKey("Retry-After")).ShouldBe((HttpStatusCode.OK, false));
    }

    [Fact]
    public async Task RedisDead_WithThePolicyMemory_LogInWorksOnThisHost_AndNothingIsGuessed()
    {
        await using var redis = await RedisServer.StartAsync(new() { AppendOnly = true });
        // Both log-ins come within the tolerance for clocks that differ, and one clock runs here.
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["REDIS_URL"] = redis.Url, ["Storage:Outage:Sessions"] = "Memory", ["Storage:Outage:ClockTolerance"] = "00:00:00", ["Storage:RateLimits:login-account:Permits"] = "1000" });
        var client = new AuthClient(host.Api);
        var email = await client.RegisterAsync();
        var before = await client.LoginAsync(email);

        await redis.KillAsync();

        Reply? born = null;
        await Eventually.SucceedsAsync(
            async () =>
            {
                born = await client.TryLoginAsync(email);
                born.Status.ShouldBe(HttpStatusCode.OK, born.Text);
            },
            TimeSpan.FromSeconds(60));
        born!.Json.GetProperty("refreshToken").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null, "refresh tokens are always denied");
        var token = born.Json.GetProperty("sessionToken").GetString()!;
        (await client.VerifyAsync(token)).ShouldBe(HttpStatusCode.OK);
        (await client.VerifyAsync(before.Session)).ShouldNotBe(HttpStatusCode.OK, "only Redis knows it, and nothing is guessed");

        await redis.RestartAsync();
        await Eventually.TrueAsync(async () => await client.VerifyAsync(before.Session) == HttpStatusCode.OK, TimeSpan.FromSeconds(60));
        await Eventually.TrueAsync(async () => await client.VerifyAsync(token) == HttpStatusCode.OK, TimeSpan.FromSeconds(60), "the session born in memory moves");
    }

    [Fact]
    public async Task DatabaseAway_TheHostStarts_SaysSoInReadiness_AndConnectsWhenItComes()
    {
        await using var postgres = await PostgresServer.StartAsync();
        await using var host = await StartWithoutItsDatabaseAsync(postgres);
        var client = new AuthClient(host.Api);

        (await host.Management.GetAsync(new Uri("/healthz/live", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await host.Management.GetAsync(new Uri("/healthz/ready", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        var login = await client.TryLoginAsync(AuthClient.NewAddress());
        login.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        login.Code.ShouldBe("database_unavailable");
        login.Headers.ShouldContainKey("Retry-After");
        // Sessions that are there already need no database.
        var elsewhere = await fixture.Client.LoginAsync(await fixture.Client.RegisterAsync());
        (await client.VerifyAsync(elsewhere.Session)).ShouldBe(HttpStatusCode.OK);

        await postgres.RestartAsync();

        await Eventually.TrueAsync(
            async () => (await host.Management.GetAsync(new Uri("/healthz/ready", UriKind.Relative))).StatusCode == HttpStatusCode.OK, TimeSpan.FromSeconds(60));
        await client.LoginAsync(await client.RegisterAsync());
    }

    [Fact]
    public async Task DatabaseAway_ARefreshUsesNothingUp_AndWorksAfterIt_HoweverLongItWas()
    {
        await using var postgres = await PostgresServer.StartAsync();
        var database = await HostFixture.MigratedDatabaseAsync(postgres);
        // No grace: any exchange that the outage had used up would be taken for theft at the next one.
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["DATABASE_URL"] = database.ConnectionString, ["Storage:RefreshTokens:RotationGrace"] = "00:00:00" });
        var client = new AuthClient(host.Api);
        var tokens = await client.LoginAsync(await client.RegisterAsync());
        await postgres.StopAsync();

        for (var i = 0; i < 2; i++)
        {
            var refused = await client.RefreshAsync(tokens.Refresh);
            refused.Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
            refused.Code.ShouldBe("database_unavailable");
        }

        await postgres.RestartAsync();
        Reply? refreshed = null;
        await Eventually.TrueAsync(
            async () => (refreshed = await client.RefreshAsync(tokens.Refresh)).Status != HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(60));
        refreshed!.Status.ShouldBe(HttpStatusCode.OK, refreshed.Text);
        (await client.VerifyAsync(refreshed.Tokens.Session)).ShouldBe(HttpStatusCode.OK);
    }

    private async Task<HostInstance> StartWithoutItsDatabaseAsync(PostgresServer postgres)
    {
        var database = await HostFixture.MigratedDatabaseAsync(postgres);
        await postgres.StopAsync();
        return await HostInstance.StartAsync(new(fixture.Settings) { ["DATABASE_URL"] = database.ConnectionString });
    }
}
