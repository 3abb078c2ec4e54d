using Maintenance.Testing;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;

namespace Maintenance.WebHost.FeatureTests.Security;

/// <summary>Somebody registers an address that is not his, sets up his ways in, and waits for its owner.</summary>
[Collection(FeatureCollection.Name)]
public sealed class PreHijackingTests(FeatureHost host)
{
    private static readonly HttpClient Provider = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    [Fact]
    public async Task StrangersProviderAndSecondFactor_GoWithTheOwnersReset()
    {
        var user = await host.AccountAsync(verified: false);
        var stranger = await host.SignedInAsync(user);
        (await LinkAsync(stranger)).Status.ShouldBe(204);
        var secret = (await stranger.PostAsync("/api/auth/2fa/enrol")).Json.GetProperty("secret").GetString()!;
        var confirmed = await stranger.PostAsync("/api/auth/2fa/confirm", new { code = Totp.Code(secret, TimeProvider.System.GetUtcNow()) });
        confirmed.Status.ShouldBe(200, confirmed.Text);

        (await host.Client().PostAsync("/api/auth/forgot-password", new { email = user.Email })).Status.ShouldBe(202);
        var token = (await host.MailAsync(user.Email, "reset-password?token=")).Split("reset-password?token=")[1].Split()[0];
        (await host.Client().PostAsync("/api/auth/reset-password", new { token, newPassword = "the-passphrase-of-its-owner" })).Status.ShouldBe(204);

        (await host.Database.ScalarAsync<long>("SELECT count(*) FROM external_logins WHERE user_id = $1", user.Id)).ShouldBe(0);
        (await host.Database.ScalarAsync<long>("SELECT count(*) FROM recovery_codes WHERE user_id = $1", user.Id)).ShouldBe(0);
        var signedIn = await LogInAsync(user, "the-passphrase-of-its-owner");
        signedIn.Json.TryGetProperty("sessionToken", out _).ShouldBeTrue(signedIn.Text);
        await host.MailAsync(user.Email, "set them up again");
    }

    [Fact]
    public async Task StrangersPassword_IsWorthNothing_OnceTheOwnerComesByAProvider_ThoughSheConfirmedTheAddress()
    {
        var user = await host.AccountAsync(verified: false);
        var stranger = await host.SignedInAsync(user);
        var token = await VerificationAsync(user);
        (await host.Client().PostAsync("/api/auth/verify-email", new { token })).Status.ShouldBe(204);
        (await host.FindAsync(user))!.EmailVerified.ShouldBeTrue();

        var owner = await SignInByProviderAsync(user);

        (await owner.GetAsync("/api/auth/profile")).Json.GetProperty("id").GetString().ShouldBe(user.Key);
        (await stranger.GetAsync("/api/auth/verify")).Status.ShouldBe(401);
        (await LogInAsync(user, FeatureHost.Password)).Code.ShouldBe("invalid_credentials");
        await host.MailAsync(user.Email, "Its password was set before");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Verification_WithTheSessionOrThePassword_ProvesTheOwner_WhoKeepsBoth(bool bySession)
    {
        var user = await host.AccountAsync(verified: false);
        var client = await host.SignedInAsync(user);
        var token = await VerificationAsync(user);
        // A mistyped password does not cost the token.
        (await host.Client().PostAsync("/api/auth/verify-email", new { token, password = "wrong-password-1" })).Status.ShouldBe(400);

        (bySession
            ? await client.PostAsync("/api/auth/verify-email", new { token })
            : await host.Client().PostAsync("/api/auth/verify-email", new { token, password = FeatureHost.Password })).Status.ShouldBe(204);

        await SignInByProviderAsync(user);
        (await client.GetAsync("/api/auth/verify")).Status.ShouldBe(200);
        (await LogInAsync(user, FeatureHost.Password)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Verification_WithAnothersSession_ProvesNothing()
    {
        var user = await host.AccountAsync(verified: false);
        var other = await host.SignedInAsync(await host.AccountAsync());

        (await other.PostAsync("/api/auth/verify-email", new { token = await VerificationAsync(user) })).Status.ShouldBe(204);

        (await host.FindAsync(user))!.OwnerProved.ShouldBeFalse();
    }

    [Fact]
    public async Task Link_BegunBeforeTheSessionEnded_IsRefusedAfterIt()
    {
        foreach (var end in (string[])["logout", "logout-all"])
        {
            var user = await host.AccountAsync();
            var client = await host.SignedInAsync(user);

            (await LinkAsync(client, async () => (await client.PostAsync($"/api/auth/{end}")).Status.ShouldBeInRange(200, 204))).Code.ShouldBe("external_invalid_state");

            (await host.Database.ScalarAsync<long>("SELECT count(*) FROM external_logins WHERE user_id = $1", user.Id)).ShouldBe(0);
        }
    }

    [Fact]
    public async Task Link_BegunBeforeAWayToSignInChanged_IsRefusedAfterIt()
    {
        var user = await host.AccountAsync();
        var client = await host.SignedInAsync(user);

        // The session lives on; the security stamp is another one.
        (await LinkAsync(client, async () => await host.Database.ExecuteAsync("UPDATE users SET security_stamp = 'another' WHERE id = $1", user.Id)))
            .Code.ShouldBe("external_invalid_state");
    }

    [Fact]
    public async Task Unlinking_RemovesEveryIdentityOfTheProvider_ButNotTheLastWayIn_ThoughOneOfNobodysProviderIsLeft()
    {
        var user = await host.AccountAsync(password: false);
        var client = await host.SignedInAsync(user);
        await host.Database.ExecuteAsync(
            "INSERT INTO external_logins (provider, subject, user_id) VALUES ('acme', $1::text || '1', $1::uuid), ('acme', $1::text || '2', $1::uuid), ('gone', $1::text, $1::uuid)", user.Id);
        (await client.DeleteAsync("/api/auth/external-logins/acme")).Code.ShouldBe("only_way_in");

        await host.Database.ExecuteAsync("INSERT INTO external_logins (provider, subject, user_id) VALUES ('strict', $1::text, $1::uuid)", user.Id);
        (await client.DeleteAsync("/api/auth/external-logins/acme")).Status.ShouldBe(204);
        (await host.Database.ScalarAsync<long>("SELECT count(*) FROM external_logins WHERE user_id = $1 AND provider = 'acme'", user.Id)).ShouldBe(0);
    }

    private static async Task<string> CallbackAsync(string authorizationUrl)
    {
        using var response = await Provider.GetAsync(new Uri(authorizationUrl));
        return response.Headers.Location!.PathAndQuery;
    }

    private async Task<Answer> LinkAsync(ApiClient client, Func<Task>? meanwhile = null)
    {
        host.Provider.User = new ProviderUser(Guid.NewGuid().ToString("N"), $"{Guid.NewGuid():N}@example.net", EmailVerified: true, "Mallory");
        var start = await client.PostAsync("/api/auth/external-logins/acme", new { });
        start.Status.ShouldBe(200, start.Text);
        var callback = await CallbackAsync(start.Json.GetProperty("url").GetString()!);
        if (meanwhile is not null)
        {
            await meanwhile();
        }

        var browser = host.Client();
        browser.Cookies["__Host-external"] = client.Cookies["__Host-external"];
        return await browser.GetAsync(callback);
    }

    private async Task<ApiClient> SignInByProviderAsync(User user)
    {
        host.Provider.User = new ProviderUser(Guid.NewGuid().ToString("N"), user.Email, EmailVerified: true, "Anna");
        var browser = host.Client();
        var begun = await browser.GetAsync("/api/auth/external/acme");
        var answer = await browser.GetAsync(await CallbackAsync(begun.Headers.Location!.AbsoluteUri));
        answer.Status.ShouldBe(200, answer.Text);
        return new ApiClient(host.Address) { Token = answer.Json.GetProperty("sessionToken").GetString() };
    }

    private async Task<string> VerificationAsync(User user)
    {
        (await host.Client().PostAsync("/api/auth/verify-email/resend", new { email = user.Email })).Status.ShouldBe(202);
        return (await host.MailAsync(user.Email, "verify-email?token=")).Split("verify-email?token=")[1].Split()[0];
    }

    private Task<Answer> LogInAsync(User user, string password) => host.Client().PostAsync("/api/auth/login", new { email = user.Email, password });
}
