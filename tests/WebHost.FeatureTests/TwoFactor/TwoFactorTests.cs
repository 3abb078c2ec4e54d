using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.FeatureTests.TwoFactor;

[Collection(FeatureCollection.Name)]
public sealed class TwoFactorTests(FeatureHost host)
{
    [Fact]
    public async Task Enrolment_CountsOnceItIsConfirmed_AndTheLogInThenAsksForACode()
    {
        var user = await host.AccountAsync();
        var client = await host.SignedInAsync(user);

        var enrolment = await client.PostAsync("/api/auth/2fa/enrol");
        enrolment.Status.ShouldBe(200, enrolment.Text);
        var secret = enrolment.Json.GetProperty("secret").GetString()!;
        enrolment.Json.GetProperty("uri").GetString().ShouldBe(AuthenticatorUri.Of("Acme", user.Email, secret));
        enrolment.Json.GetProperty("qrCode").GetString()!.ShouldStartWith("data:image/png;base64,iVBOR");
        (await LogInAsync(user)).Json.TryGetProperty("sessionToken", out _).ShouldBeTrue();

        var code = Code(secret);
        var confirmed = await client.PostAsync("/api/auth/2fa/confirm", new { code });
        confirmed.Status.ShouldBe(200, confirmed.Text);
        confirmed.Json.GetProperty("recoveryCodes").GetArrayLength().ShouldBe(10);
        (await client.GetAsync("/api/auth/2fa")).Json.ToString().ShouldBe("""{"enabled":true,"recoveryCodesLeft":10}""");

        var challenge = (await LogInAsync(user)).Json.GetProperty("challengeId").GetString();
        // The code that confirmed has been used; the next one counts.
        (await host.Client().PostAsync("/api/auth/login/2fa", new { challengeId = challenge, code })).Code.ShouldBe("invalid_code");
        var signedIn = await host.Client().PostAsync("/api/auth/login/2fa", new { challengeId = challenge, code = Code(secret, stepsAhead: 1) });
        signedIn.Status.ShouldBe(200, signedIn.Text);
        signedIn.Json.GetProperty("user").GetProperty("id").GetString().ShouldBe(user.Key);
    }

    [Fact]
    public async Task Confirm_RefusesAWrongCode_AndLocksAfterTooMany()
    {
        var user = await host.AccountAsync();
        var client = await host.SignedInAsync(user);
        var secret = (await client.PostAsync("/api/auth/2fa/enrol")).Json.GetProperty("secret").GetString()!;
        var wrong = new { code = Code(secret, stepsAhead: 50) };

        (await client.PostAsync("/api/auth/2fa/confirm", wrong)).Status.ShouldBe(400);
        Answer last;
        var tries = 1;
        do
        {
            last = await client.PostAsync("/api/auth/2fa/confirm", wrong);
            tries++;
        }
        while (last.Status == 400 && tries < 50);

        last.Status.ShouldBe(429);
        last.Headers.RetryAfter.ShouldNotBeNull();
        foreach (var prefix in (string[])["RateLimit", "X-RateLimit"])
        {
            last.Headers.GetValues($"{prefix}-Limit").ShouldHaveSingleItem().ShouldNotBe("0");
            last.Headers.GetValues($"{prefix}-Remaining").ShouldBe(["0"]);
            last.Headers.Contains($"{prefix}-Reset").ShouldBeTrue();
        }

        tries.ShouldBeLessThanOrEqualTo(12);
        (await host.FindAsync(user))!.TwoFactorEnabled.ShouldBeFalse();
    }

    [Fact]
    public async Task RecoveryCode_WorksOnce_HoweverItIsTyped_AndIsNowhereInTheDatabase()
    {
        var user = await host.AccountAsync();
        var (_, codes) = await EnrolAsync(user);
        var typed = codes[0].ToLowerInvariant().Replace('-', ' ').Replace('0', 'o').Replace('1', 'l');
        var stored = await host.Database.ListAsync<string>("SELECT hash FROM recovery_codes WHERE user_id = $1", user.Id);
        stored.Count.ShouldBe(10);
        stored.ShouldAllBe(hash => !codes.Contains(hash));

        var challenge = (await LogInAsync(user)).Json.GetProperty("challengeId").GetString();
        var signedIn = await host.Client().PostAsync("/api/auth/login/2fa", new { challengeId = challenge, code = typed });
        signedIn.Status.ShouldBe(200, signedIn.Text);

        var again = (await LogInAsync(user)).Json.GetProperty("challengeId").GetString();
        (await host.Client().PostAsync("/api/auth/login/2fa", new { challengeId = again, code = codes[0] })).Code.ShouldBe("invalid_code");
        (await host.Database.ScalarAsync<long>("SELECT count(*) FROM recovery_codes WHERE user_id = $1", user.Id)).ShouldBe(9);
    }

    [Fact]
    public async Task RecoveryCodes_AreReplaced_AndTheOldOnesWorkNoMore()
    {
        var user = await host.AccountAsync();
        var (client, codes) = await EnrolAsync(user);

        var replaced = await client.PostAsync("/api/auth/2fa/recovery-codes");
        replaced.Status.ShouldBe(200, replaced.Text);

        var challenge = (await LogInAsync(user)).Json.GetProperty("challengeId").GetString();
        (await host.Client().PostAsync("/api/auth/login/2fa", new { challengeId = challenge, code = codes[0] })).Code.ShouldBe("invalid_code");
        var fresh = replaced.Json.GetProperty("recoveryCodes")[0].GetString();
        (await host.Client().PostAsync("/api/auth/login/2fa", new { challengeId = challenge, code = fresh })).Status.ShouldBe(200);
    }

    [Fact]
    public async Task PasswordChangeAndDeletion_NeedTheCodeToo_UnlessItWasGivenLately()
    {
        var user = await host.AccountAsync();
        await EnrolAsync(user);
        var secret = host.Services.GetRequiredService<AuthenticatorKeys>().Get((await host.FindAsync(user))!)!;
        var client = await host.RefreshedAsync(user);
        const string Next = "another-long-passphrase-of-hers";

        var half = await client.PutAsync("/api/auth/profile/password", new { currentPassword = FeatureHost.Password, newPassword = Next });
        half.Status.ShouldBe(400, half.Text);
        half.Text.ShouldContain("\"code\"");
        (await client.SendAsync(HttpMethod.Delete, "/api/auth/account", System.Net.Http.Json.JsonContent.Create(new { password = FeatureHost.Password }))).Status.ShouldBe(400);
        (await client.PutAsync("/api/auth/profile/password", new { currentPassword = FeatureHost.Password, newPassword = Next, code = "000000" })).Status.ShouldBe(400);
        (await client.PostAsync("/api/auth/2fa/disable")).Status.ShouldBe(403);

        var whole = await client.PutAsync("/api/auth/profile/password", new { currentPassword = FeatureHost.Password, newPassword = Next, code = Code(secret, 1) });
        whole.Status.ShouldBe(200, whole.Text);
    }

    [Fact]
    public async Task Disable_NeedsARecentProof_SaysHow_AndWorksAfterIt()
    {
        var user = await host.AccountAsync();
        var (_, _) = await EnrolAsync(user);
        var secret = host.Services.GetRequiredService<AuthenticatorKeys>().Get((await host.FindAsync(user))!)!;
        // A stolen refresh token makes a session, but its owner was not there.
        var client = await host.RefreshedAsync(user);

        foreach (var path in (string[])["enrol", "disable", "recovery-codes"])
        {
            var refused = await client.PostAsync($"/api/auth/2fa/{path}");
            refused.Status.ShouldBe(403, path);
            refused.Code.ShouldBe("reauthentication_required");
            refused.Json.GetProperty("reauthenticate").GetString().ShouldBe("/api/auth/reauthenticate");
        }

        (await client.PostAsync("/api/auth/reauthenticate", new { password = FeatureHost.Password })).Status.ShouldBe(400);
        (await client.PostAsync("/api/auth/reauthenticate", new { password = "wrong-password-1", code = Code(secret, 1) })).Status.ShouldBe(400);
        var proved = await client.PostAsync("/api/auth/reauthenticate", new { password = FeatureHost.Password, code = Code(secret, 1) });
        proved.Status.ShouldBe(200, proved.Text);
        client.Token = proved.Json.GetProperty("sessionToken").GetString();

        (await client.PostAsync("/api/auth/2fa/disable")).Status.ShouldBe(204);
        (await LogInAsync(user)).Json.TryGetProperty("sessionToken", out _).ShouldBeTrue();
        var stored = (await host.FindAsync(user))!;
        (stored.TwoFactorEnabled, stored.AuthenticatorKey).ShouldBe((false, null));
        (await host.Database.ScalarAsync<long>("SELECT count(*) FROM recovery_codes WHERE user_id = $1", user.Id)).ShouldBe(0);
    }

    private static string Code(string secret, int stepsAhead = 0) => Totp.Code(secret, TimeProvider.System.GetUtcNow().AddSeconds(stepsAhead * Totp.StepSeconds));

    private async Task<(ApiClient Client, IReadOnlyList<string> Codes)> EnrolAsync(User user)
    {
        var client = await host.SignedInAsync(user);
        var secret = (await client.PostAsync("/api/auth/2fa/enrol")).Json.GetProperty("secret").GetString()!;
        var confirmed = await client.PostAsync("/api/auth/2fa/confirm", new { code = Code(secret) });
        confirmed.Status.ShouldBe(200, confirmed.Text);
        return (client, [.. confirmed.Json.GetProperty("recoveryCodes").EnumerateArray().Select(code => code.GetString()!)]);
    }

    private Task<Answer> LogInAsync(User user) => host.Client().PostAsync("/api/auth/login", new { email = user.Email, password = FeatureHost.Password, device = "test" });
}
