using System.Net;
using System.Net.Http.Headers;
using Maintenance.Testing;

namespace Maintenance.WebHost.RedisTests.Journeys;

/// <summary>A real nginx with the configuration that we ship asks <c>verify</c> for every request to an application.</summary>
[Collection(HostGroup.Name)]
public sealed class GatewayTests(HostFixture fixture) : IAsyncLifetime
{
    private static readonly HttpClient Browser = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false, UseCookies = false, UseProxy = false, RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.Latin1,
    })
    { Timeout = TimeSpan.FromMinutes(2) };

    private readonly AuthClient client = fixture.Client;
    private HttpReceiver application = null!;
    private NginxServer gateway = null!;

    public async Task InitializeAsync()
    {
        application = await HttpReceiver.StartAsync();
        gateway = await StartAsync(fixture.Host);
    }

    public async Task DisposeAsync()
    {
        await gateway.DisposeAsync();
        await application.DisposeAsync();
    }

    [Fact]
    public async Task BearerToken_ReachesTheApplication_WithUserAndSession_AndWithoutTheToken()
    {
        var (token, user, session) = await SignedInAsync();

        var reply = await AskAsync("things?a=b", token, body: "{\"thing\":1}");

        reply.Status.ShouldBe(HttpStatusCode.OK, gateway.LogTail);
        var received = application.Requests.ShouldHaveSingleItem();
        (received.Target, received.Body).ShouldBe(("/things?a=b", "{\"thing\":1}"));
        (received.Headers["X-Auth-User-Id"], received.Headers["X-Auth-Session-Id"]).ShouldBe((user, session));
        received.Headers.ContainsKey("Authorization").ShouldBeFalse();
        received.Headers.Values.ShouldAllBe(value => !value.Contains(token, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("__Host-session={0}", "")]
    [InlineData("theme=dark; __Host-session={0}; lang=en", "theme=dark;lang=en")]
    public async Task Cookie_ReachesTheApplication_WithUserAndSession_AndItsOtherCookiesAlone(string cookies, string others)
    {
        // Signed in through the gateway, as a browser is.
        var login = await new AuthClient(Through(gateway)).TryLoginAsync(await client.RegisterAsync());
        login.Headers["Set-Cookie"].ShouldContain($"__Host-session={login.Tokens.Session}");
        var (user, session) = await WhoseAsync(login.Tokens.Session);

        var reply = await AskAsync("", headers: ("Cookie", string.Format(System.Globalization.CultureInfo.InvariantCulture, cookies, login.Tokens.Session)));

        reply.Status.ShouldBe(HttpStatusCode.OK, gateway.LogTail);
        reply.Headers.ShouldNotContainKey("Set-Cookie");
        var received = application.Requests.ShouldHaveSingleItem();
        (received.Headers["X-Auth-User-Id"], received.Headers["X-Auth-Session-Id"]).ShouldBe((user, session));
        received.Headers.GetValueOrDefault("Cookie", "").ShouldBe(others);
    }

    [Theory]
    [InlineData("no token", "Bearer")]
    [InlineData("no token of ours", "Bearer error=\"invalid_token\"")]
    [InlineData("logged out", "Bearer error=\"invalid_token\"")]
    [InlineData("ended from another session", "Bearer error=\"invalid_token\"")]
    [InlineData("cookie of a session that is logged out", "Bearer error=\"invalid_token\"")]
    public async Task Other_Is401_AndTheApplicationIsNeverReached(string what, string challenge)
    {
        var (token, _, session) = await SignedInAsync();
        (string, string)[] headers = [];
        switch (what)
        {
            case "no token":
                break;
            case "no token of ours":
                headers = [("Authorization", $"Bearer {token[..^1]}{(token[^1] == 'A' ? 'B' : 'A')}")];
                break;
            case "ended from another session":
                headers = [("Authorization", $"Bearer {token}")];
                (await AskAsync("before", headers: headers)).Status.ShouldBe(HttpStatusCode.OK, gateway.LogTail);
                var email = (await client.GetAsync("/api/auth/profile", token)).Json.GetProperty("email").GetString()!;
                var other = (await client.LoginAsync(email)).Session;
                (await client.SendAsync(HttpMethod.Delete, $"/api/auth/sessions/{session}", token: other)).Status.ShouldBe(HttpStatusCode.NoContent);
                break;
            default:
                headers = [what.StartsWith("cookie", StringComparison.Ordinal) ? ("Cookie", $"__Host-session={token}") : ("Authorization", $"Bearer {token}")];
                (await AskAsync("before", headers: headers)).Status.ShouldBe(HttpStatusCode.OK, gateway.LogTail);
                (await new AuthClient(Through(gateway)).PostAsync("/api/auth/logout", token: token)).Status.ShouldBe(HttpStatusCode.NoContent);
                break;
        }

        var reply = await AskAsync("afterwards", headers: headers);

        reply.Status.ShouldBe(HttpStatusCode.Unauthorized, gateway.LogTail);
        reply.Headers["WWW-Authenticate"].ShouldBe(challenge);
        application.Requests.ShouldAllBe(request => request.Target == "/before");
    }

    [Fact]
    public async Task WhatAClientSaysOfItself_NeverReachesTheApplication()
    {
        var (token, user, session) = await SignedInAsync();

        (await AskAsync(
            "",
            token,
            headers: [("x-auth-user-id", "somebody-else"), ("X-Auth-Session-Id", "another"), ("X-Auth-Roles", "admin"), ("X_Auth_Roles", "admin"), ("X-Forwarded-For", "192.0.2.1")]))
            .Status.ShouldBe(HttpStatusCode.OK, gateway.LogTail);
        (await AskAsync("", headers: [("X-Auth-User-Id", user), ("X-Auth-Session-Id", session)])).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await AskAsync("_auth", token)).Status.ShouldBe(HttpStatusCode.NotFound, "the question is nginx's own");

        var received = application.Requests.ShouldHaveSingleItem().Headers;
        (received["X-Auth-User-Id"], received["X-Auth-Session-Id"], received["X-Forwarded-For"]).ShouldBe((user, session, "127.0.0.1"));
        received.Keys.ShouldAllBe(name => !name.Contains("Roles", StringComparison.OrdinalIgnoreCase), "the user has none");
    }

    [Fact]
    public async Task RedisAway_Is503ThatSaysSo_TheApplicationIsNotReached_AndItsOwn500StaysIts()
    {
        await using var redis = await RedisServer.StartAsync(new() { AppendOnly = true });
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["REDIS_URL"] = redis.Url });
        await using var own = await StartAsync(host);
        var through = new AuthClient(Through(own));
        var token = (await through.LoginAsync(await through.RegisterAsync())).Session;
        application.Answer = (_, context) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        (await through.GetAsync("/first", token)).Status.ShouldBe(HttpStatusCode.InternalServerError, "the application's");

        await redis.KillAsync();

        var away = await through.GetAsync("/second", token);
        away.Status.ShouldBe(HttpStatusCode.ServiceUnavailable, own.LogTail);
        (away.Code, away.Headers["Retry-After"], away.Headers["Content-Type"]).ShouldBe(("unavailable", "1", "application/problem+json"));
        application.Requests.ShouldHaveSingleItem().Target.ShouldBe("/first");

        await redis.RestartAsync();
        application.Answer = (_, _) => Task.CompletedTask;
        await Eventually.TrueAsync(async () => (await through.GetAsync("/third", token)).Status == HttpStatusCode.OK, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task LimitOfVerify_Is429WithRetryAfter_AndTheApplicationIsNotReached()
    {
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["Verify:PermitsPerSecond"] = "1" });
        await using var own = await StartAsync(host);
        var through = new AuthClient(Through(own));
        List<Reply> replies = [];

        // Many at once: one a second passes, however slow the machine is.
        await Eventually.TrueAsync(
            async () =>
            {
                replies.AddRange(await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => through.GetAsync("/", "nobody's"))));
                return replies.Exists(reply => reply.Status == HttpStatusCode.TooManyRequests);
            },
            TimeSpan.FromSeconds(60));

        replies.ShouldAllBe(reply => reply.Status == HttpStatusCode.TooManyRequests || reply.Status == HttpStatusCode.Unauthorized, own.LogTail);
        var refused = replies.First(reply => reply.Status == HttpStatusCode.TooManyRequests);
        (refused.Code, refused.Headers["Retry-After"], refused.Headers["Content-Type"]).ShouldBe(("rate_limited", "1", "application/problem+json"));
        application.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Cookie", 40_000, 431, "headers_too_large")]
    [InlineData("Authorization", 40_000, 431, "headers_too_large")]
    [InlineData("Cookie", 1, 400, "invalid_request")]
    [InlineData("Authorization", 1, 400, "invalid_request")]
    public async Task HeadersThatTheHostDoesNotRead_AreTheClients4xx_AndTheApplicationIsNotReached(string header, int length, int status, string code)
    {
        // 0xFC: never in UTF-8.
        var reply = await AskAsync("", headers: (header, $"Bearer a={new string('\u00FC', length)}"));

        ((int)reply.Status, reply.Code).ShouldBe((status, code), gateway.LogTail);
        reply.Headers.ShouldNotContainKey("Retry-After", "it is no better the next time");
        (reply.Headers["Cache-Control"], reply.Headers["Content-Type"]).ShouldBe(("no-store", "application/problem+json"));
        application.Requests.ShouldBeEmpty();
    }

    private async Task<NginxServer> StartAsync(HostInstance host)
    {
        var shipped = await File.ReadAllTextAsync(Path.Combine(BuiltProgram.RepositoryRoot, "deploy", "nginx", "auth-request.conf"));
        return await NginxServer.StartAsync(listen =>
        {
            var site = shipped;
            // A machine that stands still for seconds is no outage.
            foreach (var (from, to) in ((string, string)[])
                [
                    ("listen 8080;", $"listen {listen};"),
                    ("server webhost:8080;", $"server {host.Api.BaseAddress!.Authority};"),
                    ("server app:8080;", $"server {application.Address.Authority};"),
                    ("proxy_connect_timeout 2s;", "proxy_connect_timeout 60s;"),
                    ("proxy_read_timeout 5s;", "proxy_read_timeout 60s;"),
                ])
            {
                site.Split(from).Length.ShouldBe(2, from);
                site = site.Replace(from, to, StringComparison.Ordinal);
            }

            // As sites with many cookies have it; nginx itself refuses what is longer than 8 KB.
            return $"large_client_header_buffers 4 64k;\n{site}";
        });
    }

    private static HttpClient Through(NginxServer server) =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false }) { BaseAddress = server.Address, Timeout = TimeSpan.FromMinutes(2) };

    private async Task<(string Token, string User, string Session)> SignedInAsync()
    {
        var token = (await client.LoginAsync(await client.RegisterAsync())).Session;
        var (user, session) = await WhoseAsync(token);
        return (token, user, session);
    }

    private async Task<(string User, string Session)> WhoseAsync(string token)
    {
        var verified = (await client.GetAsync("/api/auth/verify", token)).Json;
        return (verified.GetProperty("userId").GetString()!, verified.GetProperty("sessionId").GetString()!);
    }

    private async Task<Reply> AskAsync(string path, string? token = null, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, new Uri(gateway.Address, path)) { Content = body is null ? null : new StringContent(body) };
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue(name);
        }

        return await new AuthClient(Browser).SendAsync(request);
    }
}
