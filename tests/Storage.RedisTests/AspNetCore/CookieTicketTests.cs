using System.Net;
using System.Security.Claims;
using Maintenance.Storage.AspNetCore.CookieTickets;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.RedisTests.AspNetCore;

/// <summary>ASP.NET Core's own cookie handler with its tickets in the session store.</summary>
public sealed class CookieTicketTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private const string Scheme = CookieAuthenticationDefaults.AuthenticationScheme;
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task SignIn_MakesASessionThatIsListed_AndEveryRequestHasItsClaims()
    {
        await using var host = await StartAsync(redis.Server);

        var cookie = await SignInAsync(host, "ada", "&role=admin&role=editor");

        var listed = (await host.Get<ISessionStore>().ListAsync("ada", None)).ShouldHaveSingleItem();
        listed.UserAgent.ShouldBe("browser");
        using var answer = await host.SendAsync("/me", cookie);
        (await answer.Content.ReadAsStringAsync()).Split('\n').Order().ShouldBe(
            new[] { $"{ClaimTypes.NameIdentifier}=ada", "role=admin", "role=editor", $"sid={listed.Id.Value}", "admin:True" }.Order());
        var key = host.Get<IOptionsMonitor<CookieAuthenticationOptions>>().Get(Scheme).TicketDataFormat
            .Unprotect(cookie.Value.Split('=', 2)[1])!.Principal.Claims.ShouldHaveSingleItem().Value;
        (await host.Get<ISessionStore>().ValidateAsync(key, None)).IsValid.ShouldBeTrue();
        (await RedisDump.EverythingAsync(redis.Server)).ShouldNotContain(key.Split('.')[1]);
    }

    [Fact]
    public async Task Request_IsDenied_WhenItsSessionWasRevokedElsewhere()
    {
        await using var host = await StartAsync(redis.Server);
        var one = await SignInAsync(host, "ada");
        var all = await SignInAsync(host, "ben");
        var sessions = host.Get<ISessionStore>();
        await sessions.RevokeAsync("ada", (await sessions.ListAsync("ada", None)).ShouldHaveSingleItem().Id, None);
        await sessions.RevokeAllAsync("ben", null, None);

        (await StatusAsync(host, "/me", one)).ShouldBe(HttpStatusCode.Redirect);
        (await StatusAsync(host, "/me", all)).ShouldBe(HttpStatusCode.Redirect);
    }

    [Fact]
    public async Task Renewal_RevivesNothing_WhenTheSessionWasRevokedDuringTheRequest()
    {
        await using var host = await StartAsync(redis.Server);
        var cookie = await SignInAsync(host, "ada");

        using var late = await host.SendAsync("/revoke-me?renew=1", cookie);

        late.StatusCode.ShouldBe(HttpStatusCode.OK);
        late.Headers.Contains("Set-Cookie").ShouldBeFalse();
        (await host.Get<ISessionStore>().CountAsync("ada", None)).ShouldBe(0);
        (await redis.Server.KeysAsync($"{host.Prefix}session:*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Renewal_GivesANewKeyToOneOfManyParallelRequests_AndTheSessionStaysOne()
    {
        await using var host = await StartAsync(redis.Server);
        var cookie = await SignInAsync(host, "ada", "&role=admin");
        var before = (await host.Get<ISessionStore>().ListAsync("ada", None)).ShouldHaveSingleItem();

        var answers = await AuthBed.AtOnceAsync(10, _ => host.SendAsync("/me?renew=1", cookie));

        answers.ShouldAllBe(answer => answer.StatusCode == HttpStatusCode.OK);
        var next = CookieOf(answers.Where(answer => answer.Headers.Contains("Set-Cookie")).ShouldHaveSingleItem());
        var after = (await host.Get<ISessionStore>().ListAsync("ada", None)).ShouldHaveSingleItem();
        after.Id.ShouldNotBe(before.Id);
        (after.CreatedAt, after.AbsoluteExpiresAt).ShouldBe((before.CreatedAt, before.AbsoluteExpiresAt));
        using var me = await host.SendAsync("/me", next);
        (await me.Content.ReadAsStringAsync()).ShouldContain("role=admin");
    }

    [Fact]
    public async Task SignIn_ChangesTheKeyAndTheClaims_WhenTheUserIsSignedInAlready()
    {
        await using var host = await StartAsync(redis.Server);
        var first = await SignInAsync(host, "ada", "&role=guest");

        using var again = await host.SendAsync("/login?user=ada&role=admin", first);
        var second = CookieOf(again);

        var session = (await host.Get<ISessionStore>().ListAsync("ada", None)).ShouldHaveSingleItem();
        session.Claims["role"].ShouldBe("admin");
        using var me = await host.SendAsync("/me", second);
        (await me.Content.ReadAsStringAsync()).ShouldContain("role=admin");
    }

    [Fact]
    public async Task SignIn_EndsTheSessionOfTheUserBefore_InTheSameBrowser()
    {
        await using var host = await StartAsync(redis.Server);
        var ada = await SignInAsync(host, "ada");

        using var swapped = await host.SendAsync("/login?user=ben", ada);
        var ben = CookieOf(swapped);

        (await host.Get<ISessionStore>().CountAsync("ada", None)).ShouldBe(0);
        (await StatusAsync(host, "/me", ada)).ShouldBe(HttpStatusCode.Redirect);
        using var me = await host.SendAsync("/me", ben);
        (await me.Content.ReadAsStringAsync()).ShouldContain($"{ClaimTypes.NameIdentifier}=ben");
    }

    [Fact]
    public async Task SignOut_RevokesTheSession_AlsoUnderAKeyThatWasRotated()
    {
        await using var host = await StartAsync(redis.Server);
        var old = await SignInAsync(host, "ada");
        using var renewed = await host.SendAsync("/me?renew=1", old);
        var next = CookieOf(renewed);

        (await StatusAsync(host, "/logout", old)).ShouldBe(HttpStatusCode.OK);

        (await host.Get<ISessionStore>().CountAsync("ada", None)).ShouldBe(0);
        (await StatusAsync(host, "/me", old)).ShouldBe(HttpStatusCode.Redirect);
        (await StatusAsync(host, "/me", next)).ShouldBe(HttpStatusCode.Redirect);
    }

    [Fact]
    public async Task SignIn_AfterASignOutOfTheSameRequest_StartsASessionOfItsOwn()
    {
        await using var host = await StartAsync(redis.Server);
        var old = await SignInAsync(host, "ada");
        var before = (await host.Get<ISessionStore>().ListAsync("ada", None)).ShouldHaveSingleItem();

        using var both = await host.SendAsync("/logout-login?user=ada", old);
        var next = CookieOf(both);

        var after = (await host.Get<ISessionStore>().ListAsync("ada", None)).ShouldHaveSingleItem();
        after.Id.ShouldNotBe(before.Id);
        (await StatusAsync(host, "/me", next)).ShouldBe(HttpStatusCode.OK);
        (await StatusAsync(host, "/me", old)).ShouldBe(HttpStatusCode.Redirect);
    }

    [Fact]
    public async Task Ticket_LivesAsTheStoreSays_OrAsTheSignInSays()
    {
        await using var host = await StartAsync(redis.Server);
        await SignInAsync(host, "ada");
        await SignInAsync(host, "ben", "&days=30");
        var usual = (await host.Get<ISessionStore>().ListAsync("ada", None)).ShouldHaveSingleItem();
        var remembered = (await host.Get<ISessionStore>().ListAsync("ben", None)).ShouldHaveSingleItem();

        (usual.AbsoluteExpiresAt - usual.CreatedAt, usual.SlidingExpiration).ShouldBe((TimeSpan.FromDays(7), TimeSpan.FromHours(24)));
        (remembered.AbsoluteExpiresAt - remembered.CreatedAt).ShouldBe(TimeSpan.FromDays(30), TimeSpan.FromMinutes(1));
        remembered.SlidingExpiration.ShouldBe(TimeSpan.FromDays(30), TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData("&item=.Token.access_token", "saved tokens")]
    [InlineData("&item=tenant", "'tenant'")]
    [InlineData("&bytes=5000", "at most 4096")]
    [InlineData("&identities=2", "more than one identity")]
    public async Task SignIn_IsRefusedWithTheReason_AndNothingIsStored_WhenTheTicketHoldsWhatASessionCannotKeep(string query, string reason)
    {
        await using var host = await StartAsync(redis.Server);

        using var answer = await host.SendAsync("/login?user=ada" + query);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var text = await answer.Content.ReadAsStringAsync();
        text.ShouldContain(reason);
        text.ShouldNotContain("s3cret");
        answer.Headers.Contains("Set-Cookie").ShouldBeFalse();
        (await redis.Server.KeysAsync($"{host.Prefix}*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Item_ThatIsAllowed_ComesBack()
    {
        await using var host = await StartAsync(redis.Server);
        var cookie = await SignInAsync(host, "ada", "&item=theme");

        using var answer = await host.SendAsync("/item?name=theme", cookie);

        (await answer.Content.ReadAsStringAsync()).ShouldBe("s3cret");
    }

    [Fact]
    public async Task ProtectedPage_Answers503_AndASignOutFails_WhileRedisIsAway()
    {
        await using var own = await RedisServer.StartAsync();
        await using var host = await StartAsync(own);
        var cookie = await SignInAsync(host, "ada");
        await own.StopAsync();

        using var page = await host.SendAsync("/me", cookie);
        using var signOut = await host.SendAsync("/logout", cookie);

        page.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        page.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        signOut.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        signOut.Headers.Contains("Set-Cookie").ShouldBeFalse();
    }

    private static async Task<(string Name, string Value)> SignInAsync(HostOnRedis host, string user, string more = "")
    {
        using var answer = await host.SendAsync($"/login?user={user}{more}", ("User-Agent", "browser"));
        return CookieOf(answer);
    }

    private static (string Name, string Value) CookieOf(HttpResponseMessage answer) =>
        ("Cookie", answer.Headers.GetValues("Set-Cookie").Last().Split(';')[0]);

    private static async Task<HttpStatusCode> StatusAsync(HostOnRedis host, string path, (string Name, string Value) cookie)
    {
        using var answer = await host.SendAsync(path, cookie);
        return answer.StatusCode;
    }

    private static Task<HostOnRedis> StartAsync(RedisServer server) => HostOnRedis.StartAsync(
        server,
        services =>
        {
            services.AddAuthorization();
            services.AddAuthentication(Scheme)
                .AddCookie(options => options.Events.OnValidatePrincipal = context =>
                {
                    context.ShouldRenew = context.Request.Query.ContainsKey("renew");
                    return Task.CompletedTask;
                })
                .AddStoredCookieTickets(configure: options => options.KeptItems.Add("theme"));
        },
        app =>
        {
            app.UseAuthentication();
            app.UseAuthorization();
            app.MapGet("/login", (Delegate)EnterAsync);
            app.MapGet("/logout", (HttpContext http) => http.SignOutAsync());
            app.MapGet("/logout-login", (Delegate)LeaveAndEnterAsync);
            app.MapGet("/me", (HttpContext http) => string.Join(
                '\n', http.User.Claims.Select(claim => $"{claim.Type}={claim.Value}").Append($"admin:{http.User.IsInRole("admin")}"))).RequireAuthorization();
            app.MapGet("/item", async (HttpContext http, string name) => (await http.AuthenticateAsync()).Properties!.Items[name]);
            app.MapGet("/revoke-me", async (HttpContext http, ISessionStore sessions) =>
                (await sessions.RevokeAsync(http.User.FindFirstValue(ClaimTypes.NameIdentifier)!, SessionId.Parse(http.User.FindFirstValue("sid")!), None)).ToString());
        });

    private static async Task<IResult> LeaveAndEnterAsync(HttpContext http)
    {
        await http.SignOutAsync();
        return await EnterAsync(http);
    }

    private static async Task<IResult> EnterAsync(HttpContext http)
    {
        var query = http.Request.Query;
        var claims = new List<Claim> { new(ClaimTypes.NameIdentifier, query["user"].ToString()) };
        claims.AddRange(query["role"].Select(role => new Claim("role", role!)));
        if (int.TryParse(query["bytes"], out var bytes))
        {
            claims.Add(new Claim("large", new string('x', bytes)));
        }

        var principal = new ClaimsPrincipal(new ClaimsIdentity(claims, Scheme, ClaimTypes.Name, "role"));
        if (query.ContainsKey("identities"))
        {
            principal.AddIdentity(new ClaimsIdentity("second"));
        }

        var properties = new AuthenticationProperties { RedirectUri = null };
        if (query["item"].ToString() is { Length: > 0 } item)
        {
            properties.Items[item] = "s3cret";
        }

        if (int.TryParse(query["days"], out var days))
        {
            (properties.IsPersistent, properties.ExpiresUtc) = (true, TimeProvider.System.GetUtcNow().AddDays(days));
        }

        try
        {
            await http.SignInAsync(principal, properties);
            return Results.Ok();
        }
        catch (Exception refused) when (refused is InvalidOperationException or ArgumentException)
        {
            return Results.Text(refused.Message, statusCode: StatusCodes.Status400BadRequest);
        }
    }
}
