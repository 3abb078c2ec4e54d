using System.Net;
using System.Net.Http.Json;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.RedisTests.Journeys;

/// <summary>A device that has signed in before is counted apart from strangers: they cannot keep its owner out, and a stolen one cannot guess freely.</summary>
[Collection(HostGroup.Name)]
public sealed class KnownDeviceTests(HostFixture fixture)
{
    private const string Wrong = "wrong password";

    private readonly AuthClient client = fixture.Client;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Owner_GetsInOnAKnownDevice_WhileAStrangerGuesses_WhoGetsNoTryBackByIt(bool byCookie)
    {
        var email = await client.RegisterAsync();
        var device = DeviceOf(await client.TryLoginAsync(email), byCookie);
        await BlockAsync(email);

        // Again and again, each time with what the log-in before gave.
        for (var i = 0; i < 3; i++)
        {
            var owner = await LogInAsync(email, AuthClient.Password, device, byCookie);
            owner.Status.ShouldBe(HttpStatusCode.OK, owner.Text);
            device = DeviceOf(owner, byCookie);
            (await client.TryLoginAsync(email)).Status.ShouldBe(HttpStatusCode.TooManyRequests, "the stranger has the right password now, and no try");
        }
    }

    [Fact]
    public async Task StolenDevice_HasItsFewTries_ThenAStrangers_ThenNone_AndOtherDevicesStillGetIn()
    {
        var email = await client.RegisterAsync();
        var stolen = DeviceOf(await client.TryLoginAsync(email));
        var other = DeviceOf(await client.TryLoginAsync(email));

        for (var i = 0; i < 10; i++)
        {
            (await LogInAsync(email, Wrong, stolen)).Code.ShouldBe("invalid_credentials", $"try {i}");
        }

        var refused = await LogInAsync(email, Wrong, stolen);
        refused.Code.ShouldBe("rate_limited");
        refused.Headers["X-RateLimit-Limit"].ShouldBe("5");
        (await LogInAsync(email, AuthClient.Password, stolen)).Code.ShouldBe("rate_limited");
        (await client.TryLoginAsync(email)).Code.ShouldBe("rate_limited");
        (await LogInAsync(email, AuthClient.Password, other)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Device_IsAStrangers_ToAnotherAccount_OrWhenItsTextIsNotOurs_OrThePasswordIsAnother()
    {
        var (email, anothers) = (await client.RegisterAsync(), await client.RegisterAsync());
        var first = await client.TryLoginAsync(email);
        var device = DeviceOf(first);
        await BlockAsync(anothers);
        await BlockAsync(email);

        (await LogInAsync(anothers, AuthClient.Password, device)).Code.ShouldBe("rate_limited");
        foreach (var text in (string[])["x", "CfDJ8", device[..^4] + "AAAA", device[4..], new string('A', 1024)])
        {
            (await LogInAsync(email, AuthClient.Password, text)).Code.ShouldBe("rate_limited", text);
        }

        var changed = await client.SendAsync(
            HttpMethod.Put, "/api/auth/profile/password", new { currentPassword = AuthClient.Password, newPassword = "another good password" }, first.Tokens.Session);
        changed.Status.ShouldBe(HttpStatusCode.OK, changed.Text);
        (await LogInAsync(email, "another good password", device)).Code.ShouldBe("rate_limited", "it knew the old password only");
        (await LogInAsync(email, "another good password", DeviceOf(changed))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Reset_MakesItsBrowserAKnownDevice_SoThatNobodyBlocksTheLogInThatFollows()
    {
        var email = await client.RegisterAsync();
        await BlockAsync(email);
        (await client.PostAsync("/api/auth/forgot-password", new { email })).Status.ShouldBe(HttpStatusCode.Accepted);
        var token = await fixture.Host.MailedTokenAsync("password_reset", email);

        var reset = await client.PostAsync("/api/auth/reset-password", new { token, newPassword = "another good password" });
        reset.Status.ShouldBe(HttpStatusCode.NoContent);
        await BlockAsync(email);

        (await LogInAsync(email, "another good password", DeviceOf(reset, byCookie: true), byCookie: true)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task SecondFactor_MakesADeviceKnown_OnlyWhenAPasswordCameBeforeIt()
    {
        var email = await client.RegisterAsync();
        using var scope = fixture.Host.Services.CreateScope();
        using var users = scope.ServiceProvider.GetRequiredService<UserManager<User>>();
        var user = (await users.FindByEmailAsync(email))!;
        user.AuthenticatorKey = Totp.NewKey();
        user.TwoFactorEnabled = true;
        var codes = (await users.GenerateNewTwoFactorRecoveryCodesAsync(user, 2))!.ToList();

        var asked = await client.TryLoginAsync(email);
        asked.Headers.GetValueOrDefault("Set-Cookie", "").ShouldNotContain("__Host-device");
        var signedIn = await client.PostAsync("/api/auth/login/2fa", new { challengeId = asked.Json.GetProperty("challengeId").GetString(), code = codes[0] });
        await BlockAsync(email);
        (await LogInAsync(email, AuthClient.Password, DeviceOf(signedIn))).Json.TryGetProperty("challengeId", out _).ShouldBeTrue();

        // As a provider's sign-in begins it.
        var begun = await fixture.Host.Services.GetRequiredService<Storage.TwoFactor.ITwoFactorStore>().BeginAsync(new() { UserId = user.Key, Method = "totp" }, default);
        var byProvider = await client.PostAsync("/api/auth/login/2fa", new { challengeId = begun.Token!.Value, code = codes[1] });
        byProvider.Status.ShouldBe(HttpStatusCode.OK, byProvider.Text);
        byProvider.Json.TryGetProperty("deviceToken", out _).ShouldBeFalse();
        byProvider.Headers["Set-Cookie"].ShouldNotContain("__Host-device");
    }

    [Fact]
    public async Task Cookie_IsForThisHostAlone_AndOutOfReachOfScripts_AndARefreshGivesNone()
    {
        var login = await client.TryLoginAsync(await client.RegisterAsync());
        var cookie = login.Headers["Set-Cookie"].Split(", __Host-").Single(part => part.StartsWith("device=", StringComparison.Ordinal)).ToLowerInvariant();
        foreach (var attribute in (string[])["secure", "httponly", "samesite=strict", "path=/", "expires="])
        {
            cookie.ShouldContain(attribute);
        }

        cookie.ShouldNotContain("domain=");
        var refreshed = await client.RefreshAsync(login.Tokens.Refresh);
        refreshed.Json.TryGetProperty("deviceToken", out _).ShouldBeFalse();
        refreshed.Headers["Set-Cookie"].ShouldNotContain("__Host-device");
    }

    private static string DeviceOf(Reply login, bool byCookie = false)
    {
        if (!byCookie)
        {
            login.Status.ShouldBe(HttpStatusCode.OK, login.Text);
            return login.Json.GetProperty("deviceToken").GetString()!;
        }

        return login.Headers["Set-Cookie"].Split("__Host-device=")[1].Split(';')[0];
    }

    private async Task BlockAsync(string email)
    {
        for (var i = 0; i < 5; i++)
        {
            (await client.TryLoginAsync(email, Wrong)).Code.ShouldBe("invalid_credentials");
        }

        (await client.TryLoginAsync(email, Wrong)).Code.ShouldBe("rate_limited");
    }

    private async Task<Reply> LogInAsync(string email, string password, string device, bool byCookie = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/auth/login")
        {
            Content = JsonContent.Create(new { email, password, deviceToken = byCookie ? null : device }),
        };
        if (byCookie)
        {
            request.Headers.Add("Cookie", $"__Host-device={device}");
        }

        return await client.SendAsync(request);
    }
}
