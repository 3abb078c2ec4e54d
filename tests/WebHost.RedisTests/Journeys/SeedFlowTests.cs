using System.Net;
using Maintenance.Testing;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.RedisTests.Journeys;

/// <summary>The flows that the documents of the older backends ask to be tested, by the number of the document.</summary>
[Collection(HostGroup.Name)]
public sealed class SeedFlowTests(HostFixture fixture)
{
    private readonly AuthClient client = fixture.Client;

    [Fact]
    public async Task Seed001_RegisterLoginRefreshLogout()
    {
        var tokens = await client.LoginAsync(await client.RegisterAsync());
        var refreshed = (await client.RefreshAsync(tokens.Refresh)).Tokens;
        (await client.PostAsync("/api/auth/logout", token: refreshed.Session)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await client.VerifyAsync(refreshed.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.RefreshAsync(refreshed.Refresh)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Seed001_PasswordResetWithResetTokens()
    {
        var email = await client.RegisterAsync();
        var tokens = await client.LoginAsync(email);
        await client.PostAsync("/api/auth/forgot-password", new { email });
        var token = await fixture.Host.MailedTokenAsync("password_reset", email);
        (await client.PostAsync("/api/auth/reset-password", new { token, newPassword = "another good password" })).Status.ShouldBe(HttpStatusCode.NoContent);
        (await client.VerifyAsync(tokens.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        await client.LoginAsync(email, "another good password");
    }

    [Fact]
    public async Task Seed001_MfaWithMfaTokens()
    {
        var email = await client.RegisterAsync();
        string key;
        using (var scope = fixture.Host.Services.CreateScope())
        {
            using var users = scope.ServiceProvider.GetRequiredService<UserManager<User>>();
            var user = (await users.FindByEmailAsync(email))!;
            user.AuthenticatorKey = key = Totp.NewKey();
            await users.SetTwoFactorEnabledAsync(user, true);
        }

        var challengeId = (await client.TryLoginAsync(email)).Json.GetProperty("challengeId").GetString();
        var reply = await client.PostAsync("/api/auth/login/2fa", new { challengeId, code = Totp.Code(key, TimeProvider.System.GetUtcNow()) });
        (await client.VerifyAsync(reply.Tokens.Session)).ShouldBe(HttpStatusCode.OK);
        (await client.RefreshAsync(reply.Tokens.Refresh)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Seed001_TokensSurviveARestartOfTheHost()
    {
        Tokens tokens;
        await using (var before = await HostInstance.StartAsync(fixture.Settings))
        {
            var early = new AuthClient(before.Api);
            tokens = await early.LoginAsync(await early.RegisterAsync());
        }

        await using var after = await HostInstance.StartAsync(fixture.Settings);
        var late = new AuthClient(after.Api);
        (await late.VerifyAsync(tokens.Session)).ShouldBe(HttpStatusCode.OK);
        (await late.RefreshAsync(tokens.Refresh)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Seed003_Login_StoresTheSession()
    {
        var reply = await client.TryLoginAsync(await client.RegisterAsync());
        var sid = (await client.PostAsync("/api/auth/verify", token: reply.Tokens.Session)).Headers["X-Auth-Session-Id"];
        var keys = (string)(await fixture.Redis.ExecuteAsync("EVAL", $"return table.concat(redis.call('KEYS', 'session:*:{sid}'), ',')", "0"))!;
        keys.ShouldStartWith("session:{");
        (await fixture.Redis.ExecuteAsync("TTL", keys)).ShouldBeOfType<long>().ShouldBeInRange(80_000, 86_401);
    }

    [Fact]
    public async Task Seed003_ProfileAccess_IsServedFromTheCache_UntilItChanges()
    {
        var tokens = await client.LoginAsync(await client.RegisterAsync());
        var id = (await client.GetAsync("/api/auth/profile", tokens.Session)).Json.GetProperty("id").GetString()!;
        var reference = Maintenance.Storage.Redis.UserReference.Of(id).Value;
        // Half an hour, up to a tenth longer so that not all entries end together.
        (await fixture.Redis.ExecuteAsync("TTL", $"user:profile:{{{reference[..2]}}}{reference[2..]}")).ShouldBeOfType<long>().ShouldBeInRange(1, 1_981);
        // Behind the host's back: whoever still says Ann has it from the cache.
        await fixture.Database.ExecuteAsync("UPDATE users SET name = 'Bea' WHERE id = $1", Guid.Parse(id));
        (await client.GetAsync("/api/auth/profile", tokens.Session)).Json.GetProperty("name").GetString().ShouldBe("Ann");

        (await client.SendAsync(HttpMethod.Put, "/api/auth/profile", new { name = "Cleo" }, tokens.Session)).Status.ShouldBe(HttpStatusCode.OK);

        (await client.GetAsync("/api/auth/profile", tokens.Session)).Json.GetProperty("name").GetString().ShouldBe("Cleo");
        (await client.PostAsync("/api/auth/logout", token: tokens.Session)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await client.GetAsync("/api/auth/profile", tokens.Session)).Status.ShouldBe(HttpStatusCode.Unauthorized, "no cache answers who is logged out");
    }

    [Fact]
    public async Task Seed003_Logout_EndsTheToken()
    {
        var tokens = await client.LoginAsync(await client.RegisterAsync());
        await client.PostAsync("/api/auth/logout", token: tokens.Session);
        (await client.VerifyAsync(tokens.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.PostAsync("/api/auth/logout-all", token: tokens.Session)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Seed003_PasswordChange_EndsEverySession()
    {
        var email = await client.RegisterAsync();
        var (caller, other) = (await client.LoginAsync(email), await client.LoginAsync(email));
        var changed = await client.SendAsync(
            HttpMethod.Put, "/api/auth/profile/password", new { currentPassword = AuthClient.Password, newPassword = "another good password" }, caller.Session);
        changed.Status.ShouldBe(HttpStatusCode.OK);
        (await client.VerifyAsync(caller.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.VerifyAsync(other.Session)).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Seed003_Health_SaysConnected_WithTheWorkersCounts()
    {
        await fixture.Redis.ExecuteAsync(
            "LPUSH",
            "maintenance:results:{keyspace-stats}",
            """{"job":"keyspace-stats","snapshot":{"sessions_active":5,"kinds":{"profile":{"keys":3},"denylist_entry":{"keys":2}},"at":"2026-01-01T00:00:00Z"}}""");
        await using var host = await HostInstance.StartAsync(fixture.Settings);
        var health = await new AuthClient(host.Api).GetAsync("/api/auth/health");
        health.Status.ShouldBe(HttpStatusCode.OK);
        health.Json.GetProperty("status").GetString().ShouldBe("OK");
        health.Json.GetProperty("redis").GetString().ShouldBe("connected");
        var stats = health.Json.GetProperty("sessionStats");
        (stats.GetProperty("activeSessions").GetInt64(), stats.GetProperty("cachedProfiles").GetInt64(), stats.GetProperty("blacklistedTokens").GetInt64()).ShouldBe((5, 3, 2));
    }

    [Fact]
    public async Task Seed004_WithRedis_HostsShareSessions_AndVerifyKnowsALogOut()
    {
        await using var second = await HostInstance.StartAsync(fixture.Settings);
        var there = new AuthClient(second.Api);
        var tokens = await client.LoginAsync(await client.RegisterAsync());
        (await there.VerifyAsync(tokens.Session)).ShouldBe(HttpStatusCode.OK);
        (await there.PostAsync("/api/auth/logout", token: tokens.Session)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await client.VerifyAsync(tokens.Session)).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Seed004_WithoutRedis_OneHostKeepsSessionsInMemory()
    {
        await using var host = await HostInstance.StartAsync(new(StringComparer.Ordinal) { ["environment"] = "Development", ["REDIS_ENABLED"] = "false" });
        var alone = new AuthClient(host.Api);
        var tokens = await alone.LoginAsync(await alone.RegisterAsync());
        (await alone.VerifyAsync(tokens.Session)).ShouldBe(HttpStatusCode.OK);
        (await alone.RefreshAsync(tokens.Refresh)).Status.ShouldBe(HttpStatusCode.OK);
        (await alone.GetAsync("/api/auth/health")).Json.GetProperty("redis").GetString().ShouldBe("disabled");
        (await host.Management.GetAsync(new Uri("/healthz/ready", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.OK);
        var again = await alone.LoginAsync(await alone.RegisterAsync());
        await alone.PostAsync("/api/auth/logout", token: again.Session);
        (await alone.VerifyAsync(again.Session)).ShouldBe(HttpStatusCode.Unauthorized);
    }
}
