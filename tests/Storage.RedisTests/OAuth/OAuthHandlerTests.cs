using System.Net;
using System.Text;
using Maintenance.Storage.OAuth;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OAuth;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Maintenance.Storage.RedisTests.OAuth;

/// <summary>ASP.NET Core's own OAuth handler with its state in Redis.</summary>
public sealed class OAuthHandlerTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    [Fact]
    public async Task Handler_LogsInOnceWithAStateThatLivesInRedis()
    {
        await using var side = new RedisSide(redis);
        using var provider = new FakeProvider();
        await using var app = await StartAsync(side, provider);
        using var handler = new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false, CheckCertificateRevocationList = true };
        using var browser = new HttpClient(handler) { BaseAddress = new Uri(app.Urls.First()) };

        using var challenge = await browser.GetAsync(new Uri("/login", UriKind.Relative));
        challenge.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        var sent = QueryHelpers.ParseQuery(challenge.Headers.Location!.Query);
        var state = sent["state"].ToString();
        var cookies = string.Join("; ", challenge.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0]));

        state.Length.ShouldBe(43);
        (await side.Server.KeysAsync($"{side.Keys.Prefix}oauth:state:*")).Count.ShouldBe(1);
        using var first = await CallbackAsync(browser, state, cookies);
        using var second = await CallbackAsync(browser, state, cookies);

        (first.StatusCode, first.Headers.Location?.OriginalString).ShouldBe((HttpStatusCode.Redirect, "/after"));
        var verifier = provider.Received.ShouldHaveSingleItem()["code_verifier"].ToString();
        var challengeOf = System.Buffers.Text.Base64Url.EncodeToString(System.Security.Cryptography.SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        challengeOf.ShouldBe(sent["code_challenge"].ToString());
        second.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Handler_RefusesAStateInABrowserThatDidNotStart()
    {
        await using var side = new RedisSide(redis);
        using var provider = new FakeProvider();
        await using var app = await StartAsync(side, provider);
        using var handler = new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false, CheckCertificateRevocationList = true };
        using var browser = new HttpClient(handler) { BaseAddress = new Uri(app.Urls.First()) };
        using var challenge = await browser.GetAsync(new Uri("/login", UriKind.Relative));
        var state = QueryHelpers.ParseQuery(challenge.Headers.Location!.Query)["state"].ToString();

        using var other = await CallbackAsync(browser, state, "another=1");

        other.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        provider.Received.ShouldBeEmpty();
    }

    private static async Task<HttpResponseMessage> CallbackAsync(HttpClient browser, string state, string cookies)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/callback?code=c&state={state}", UriKind.Relative));
        request.Headers.Add("Cookie", cookies);
        return await browser.SendAsync(request);
    }

    private static async Task<WebApplication> StartAsync(RedisSide side, FakeProvider provider)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IOAuthStateStore>(
            new RedisOAuthStateStore(side.Connection, side.Keys, new FixedOptions<OAuthStateOptions>(new OAuthStateOptions())));
        // Longer than a busy machine stands still.
        builder.Services.Configure<OAuthStateOptions>(options => options.HandlerDeadline = TimeSpan.FromSeconds(30));
        builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme)
            .AddCookie()
            .AddOAuth("Fake", options =>
            {
                options.ClientId = "client";
                options.ClientSecret = "secret";
                options.AuthorizationEndpoint = "https://provider.invalid/authorize";
                options.TokenEndpoint = "https://provider.invalid/token";
                options.CallbackPath = "/callback";
                options.UsePkce = true;
                options.BackchannelHttpHandler = provider;
                options.Events.OnRemoteFailure = failure =>
                {
                    failure.Response.StatusCode = StatusCodes.Status403Forbidden;
                    failure.HandleResponse();
                    return Task.CompletedTask;
                };
            })
            .AddStoredOAuthState<OAuthOptions>("Fake");
        var app = builder.Build();
        app.UseAuthentication();
        app.MapGet("/login", (HttpContext http) => http.ChallengeAsync("Fake", new AuthenticationProperties { RedirectUri = "/after" }));
        await app.StartAsync();
        return app;
    }

    private sealed class FakeProvider : HttpMessageHandler
    {
        public List<Dictionary<string, Microsoft.Extensions.Primitives.StringValues>> Received { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Received.Add(QueryHelpers.ParseQuery(await request.Content!.ReadAsStringAsync(cancellationToken)));
            return new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new StringContent("""{"access_token":"t","token_type":"bearer"}""", Encoding.UTF8, "application/json"),
            };
        }
    }
}
