using System.Net;
using System.Security.Claims;
using Maintenance.Storage.AspNetCore.Bearer;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Storage.RedisTests.AspNetCore;

public sealed class SessionBearerTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Bearer_AuthenticatesByTheStoresWord_AndCarriesTheSessionsClaims()
    {
        await using var host = await StartAsync(redis.Server);
        var issued = await host.Get<ISessionStore>().CreateAsync(
            new NewSession
            {
                UserId = "ada",
                Claims = new Dictionary<string, string> { [ClaimTypes.Role] = "admin", [ClaimTypes.NameIdentifier] = "somebody else", ["sid"] = "other" },
            },
            None);

        using var answer = await BearerAsync(host, issued.Token.Value);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var claims = (await answer.Content.ReadAsStringAsync()).Split('\n').Order();
        claims.ShouldBe(new[] { $"{ClaimTypes.NameIdentifier}=ada", $"{ClaimTypes.Role}=admin", $"sid={issued.Token.Id.Value}" }.Order());
        string.Concat(claims).ShouldNotContain("generation", Case.Insensitive);
    }

    [Fact]
    public async Task Bearer_Answers401WithoutSayingWhy_WhenTheTokenIsNotValid()
    {
        await using var host = await StartAsync(redis.Server);
        var sessions = host.Get<ISessionStore>();
        var revoked = await sessions.CreateAsync(new NewSession { UserId = "ada" }, None);
        await sessions.RevokeAsync("ada", revoked.Token.Id, None);
        var revokedWithAll = await sessions.CreateAsync(new NewSession { UserId = "ben" }, None);
        await sessions.RevokeAllAsync("ben", null, None);
        var neverIssued = SessionToken.Create(revoked.Token.User).Value;

        foreach (var token in new[] { revoked.Token.Value, revokedWithAll.Token.Value, neverIssued, "nonsense" })
        {
            using var answer = await BearerAsync(host, token);
            answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
            answer.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer error=\"invalid_token\"");
            (await answer.Content.ReadAsStringAsync()).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task Bearer_ChallengesWithoutAnError_WhenNoTokenWasSent()
    {
        await using var host = await StartAsync(redis.Server);

        using var none = await host.SendAsync("/me");
        using var basic = await host.SendAsync("/me", ("Authorization", "Basic YTpi"));
        using var open = await host.SendAsync("/open");

        none.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        none.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer");
        basic.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer");
        open.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Bearer_TakesTheCookie_OnlyWhenItIsNamed()
    {
        await using var named = await StartAsync(redis.Server, "session");
        await using var unnamed = await StartAsync(redis.Server, prefix: named.Prefix);
        var issued = await named.Get<ISessionStore>().CreateAsync(new NewSession { UserId = "ada" }, None);
        var cookie = ("Cookie", $"session={issued.Token.Value}");

        using var accepted = await named.SendAsync("/me", cookie);
        using var headerWins = await named.SendAsync("/me", cookie, ("Authorization", "Bearer nonsense"));
        using var ignored = await unnamed.SendAsync("/me", cookie);

        accepted.StatusCode.ShouldBe(HttpStatusCode.OK);
        headerWins.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        ignored.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Bearer_Answers503WithRetryAfter_WhileRedisIsAway_AndNothingIsGuessed()
    {
        await using var own = await RedisServer.StartAsync();
        await using var host = await StartAsync(own);
        var issued = await host.Get<ISessionStore>().CreateAsync(new NewSession { UserId = "ada" }, None);
        await own.StopAsync();

        using var answer = await BearerAsync(host, issued.Token.Value);
        using var open = await host.SendAsync("/open", ("Authorization", $"Bearer {issued.Token.Value}"));

        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        answer.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(3));
        answer.Headers.WwwAuthenticate.ShouldBeEmpty();
        (await open.Content.ReadAsStringAsync()).ShouldBe("");
        host.Log.WithEvent(1300).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Bearer_WritesNoTokenToTheLog()
    {
        await using var host = await StartAsync(redis.Server, "session");
        var issued = await host.Get<ISessionStore>().CreateAsync(new NewSession { UserId = "ada" }, None);
        using var valid = await BearerAsync(host, issued.Token.Value);
        await host.Get<ISessionStore>().RevokeAsync("ada", issued.Token.Id, None);
        using var denied = await BearerAsync(host, issued.Token.Value);
        using var byCookie = await host.SendAsync("/me", ("Cookie", $"session={issued.Token.Value}"));

        host.Log.WithEvent(1301).Count.ShouldBe(2);
        var secret = issued.Token.Value.Split('.')[1];
        host.Log.Entries.ShouldAllBe(entry => !$"{entry.Message} {entry.Error}".Contains(secret, StringComparison.Ordinal));
    }

    private static Task<HttpResponseMessage> BearerAsync(HostOnRedis host, string token) => host.SendAsync("/me", ("Authorization", $"Bearer {token}"));

    private static Task<HostOnRedis> StartAsync(RedisServer server, string? cookie = null, string? prefix = null) =>
        HostOnRedis.StartAsync(
            server,
            services =>
            {
                services.AddAuthorization();
                services.AddAuthentication(SessionBearerDefaults.AuthenticationScheme).AddSessionBearer(options =>
                {
                    options.CookieName = cookie;
                    options.RetryAfter = TimeSpan.FromSeconds(2.5);
                });
            },
            app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
                app.MapGet("/me", (HttpContext http) => string.Join('\n', http.User.Claims.Select(claim => $"{claim.Type}={claim.Value}"))).RequireAuthorization();
                app.MapGet("/open", (HttpContext http) => http.User.Identity?.Name ?? string.Concat(http.User.Claims));
            },
            prefix);
}
