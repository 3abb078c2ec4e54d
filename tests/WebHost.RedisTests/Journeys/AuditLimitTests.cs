using System.Net;
using System.Net.Http.Json;
using Maintenance.Testing;

namespace Maintenance.WebHost.RedisTests.Journeys;

/// <summary>What a stranger is refused stands in the trail as often as the limits let through, and no more often.</summary>
[Collection(HostGroup.Name)]
public sealed class AuditLimitTests(HostFixture fixture)
{
    private const int Permits = 3;

    [Fact]
    public async Task RefusalsOverTheLimit_HaveNoRow()
    {
        await using var host = await HostInstance.StartAsync(new(fixture.Settings)
        {
            ["Storage:Redis:KeyPrefix"] = "audit-limit:",
            ["Storage:RateLimits:refresh:Permits"] = $"{Permits}",
            ["Storage:RateLimits:refresh:Period"] = "01:00:00",
            ["Storage:RateLimits:redeem:Permits"] = $"{Permits}",
            ["Storage:RateLimits:redeem:Period"] = "01:00:00",
            ["Storage:RateLimits:antiforgery:Permits"] = $"{Permits}",
            ["Storage:RateLimits:antiforgery:Period"] = "01:00:00",
        });
        var agent = $"flood-{Guid.NewGuid():N}";
        for (var i = 0; i < Permits * 3; i++)
        {
            (await AskAsync("/api/auth/refresh", new { refreshToken = "nothing" })).ShouldBe(i < Permits ? HttpStatusCode.Unauthorized : HttpStatusCode.TooManyRequests);
            (await AskAsync("/api/auth/verify-email", new { token = "nothing" })).ShouldBe(i < Permits ? HttpStatusCode.BadRequest : HttpStatusCode.TooManyRequests);
            (await AskAsync("/api/auth/logout", new { }, "__Host-session=nothing")).ShouldBe(HttpStatusCode.Forbidden, "waiting makes it no better");
        }

        // Rows are written in order: when this one is there, so are all before it.
        (await AskAsync("/api/auth/login", new { email = AuthClient.NewAddress(), password = AuthClient.Password })).ShouldBe(HttpStatusCode.Unauthorized);
        await Eventually.TrueAsync(
            async () => await fixture.Database.ScalarAsync<long>("SELECT count(*) FROM audit_events WHERE user_agent = $1 AND action = 'login'", agent) == 1, TimeSpan.FromSeconds(60));
        (await fixture.Database.ScalarAsync<string>(
            "SELECT string_agg(counted, ',' ORDER BY counted) FROM (SELECT action || '|' || count(*) AS counted FROM audit_events WHERE user_agent = $1 GROUP BY action) AS actions", agent))
            .ShouldBe($"antiforgery.refused|{Permits},email.verified|{Permits},login|1,refresh|{Permits}");

        async Task<HttpStatusCode> AskAsync(string path, object body, string? cookie = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
            request.Headers.UserAgent.ParseAdd(agent);
            if (cookie is not null)
            {
                request.Headers.Add("Cookie", cookie);
            }

            return (await new AuthClient(host.Api).SendAsync(request)).Status;
        }
    }
}
