using System.Buffers.Binary;
using System.Text.Json;
using System.Text.RegularExpressions;
using Maintenance.Testing;
using Maintenance.WebHost.Passwords;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.FeatureTests.Security;

/// <summary>What OWASP's ASVS asks of authentication (V2) and no other test shows; docs/security.md names them.</summary>
[Collection(FeatureCollection.Name)]
public sealed partial class AuthenticationRequirementsTests(FeatureHost host)
{
    [Theory]
    [InlineData("correct horse battery staple")]
    [InlineData("  passwörter mit Umlaut 日本語 🔑  ")]
    [InlineData("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_")]
    public async Task Password_TakesAnyCharacters_AndIsNeitherCutNorTrimmed(string password)
    {
        var email = $"{Guid.NewGuid():N}@example.org";
        var registered = await host.Client().PostAsync("/api/auth/register", new { email, password, name = "Anna" });
        registered.Status.ShouldBe(201, registered.Text);

        (await LogInAsync(email, password)).Status.ShouldBe(200);
        (await LogInAsync(email, password[..^1])).Status.ShouldBe(401);
        (await LogInAsync(email, password + " ")).Status.ShouldBe(401);
    }

    [Theory]
    [InlineData(11, 400)]
    [InlineData(12, 201)]
    [InlineData(64, 201)]
    [InlineData(128, 201)]
    [InlineData(129, 400)]
    public async Task Password_HasTwelveToOneHundredAndTwentyEightCharacters(int length, int status)
    {
        var password = string.Concat(Enumerable.Range(0, length).Select(i => (char)('a' + (i * 7 % 26))));

        var answer = await host.Client().PostAsync("/api/auth/register", new { email = $"{Guid.NewGuid():N}@example.org", password, name = "Anna" });

        answer.Status.ShouldBe(status, answer.Text);
        answer.Json.TryGetProperty("errors", out var errors).ShouldBe(status == 400);
        (status == 201 || errors.TryGetProperty("password", out _)).ShouldBeTrue(answer.Text);
    }

    [Fact]
    public async Task Password_ThatAttackersKnow_IsRefused_WhereverOneIsSet()
    {
        var user = await host.AccountAsync();
        var client = await host.SignedInAsync(user);
        var email = $"{Guid.NewGuid():N}@example.org";

        foreach (var refused in new[]
        {
            await host.Client().PostAsync("/api/auth/register", new { email, password = "Password1234", name = "Anna" }),
            await host.Client().PostAsync("/api/auth/register", new { email, password = FeatureHost.BreachedPassword, name = "Anna" }),
            await client.PutAsync("/api/auth/profile/password", new { currentPassword = FeatureHost.Password, newPassword = FeatureHost.BreachedPassword }),
            await host.Client().PostAsync("/api/auth/reset-password", new { token = await ResetTokenAsync(user), newPassword = FeatureHost.BreachedPassword }),
        })
        {
            refused.Status.ShouldBe(400, refused.Text);
            refused.Json.GetProperty("errors").ToString().ShouldContain("known to attackers");
        }
    }

    [Fact]
    public async Task AuthenticatorKey_IsEncryptedInTheDatabase_AndWorthNothingInAnotherRow()
    {
        var (user, other) = (await host.AccountAsync(), await host.AccountAsync());
        var client = await host.SignedInAsync(user);
        var secret = (await client.PostAsync("/api/auth/2fa/enrol")).Json.GetProperty("secret").GetString()!;
        (await client.PostAsync("/api/auth/2fa/confirm", new { code = Totp.Code(secret, TimeProvider.System.GetUtcNow()) })).Status.ShouldBe(200);

        var stored = (await host.FindAsync(user))!.AuthenticatorKey!;

        stored.ShouldNotContain(secret);
        host.Logs.Entries.ShouldAllBe(entry => !entry.Message.Contains(secret, StringComparison.Ordinal));
        var keys = host.Services.GetRequiredService<AuthenticatorKeys>();
        keys.Get((await host.FindAsync(user))!).ShouldBe(secret);
        await host.Database.ExecuteAsync("UPDATE users SET authenticator_key = $2 WHERE id = $1", other.Id, stored);
        var copied = (await host.FindAsync(other))!;
        Should.Throw<System.Security.Cryptography.CryptographicException>(() => keys.Get(copied));
    }

    [Fact]
    public async Task AuthenticatorKey_ThatStoodInClear_IsEncryptedAtItsNextUse()
    {
        var user = await host.AccountAsync();
        var key = Totp.NewKey();
        await host.Database.ExecuteAsync("UPDATE users SET two_factor_enabled = true, authenticator_key = $2 WHERE id = $1", user.Id, key);

        var challengeId = (await LogInAsync(user.Email, FeatureHost.Password)).Json.GetProperty("challengeId").GetString();
        (await host.Client().PostAsync("/api/auth/login/2fa", new { challengeId, code = Totp.Code(key, TimeProvider.System.GetUtcNow()) })).Status.ShouldBe(200);

        var now = (await host.FindAsync(user))!;
        now.AuthenticatorKey.ShouldNotBeNull().ShouldNotContain(key);
        host.Services.GetRequiredService<AuthenticatorKeys>().Get(now).ShouldBe(key);
    }

    [Fact]
    public async Task RepeatedCode_IsRefused_Audited_AndItsOwnerTold()
    {
        var user = await host.AccountAsync();
        var client = await host.SignedInAsync(user);
        var secret = (await client.PostAsync("/api/auth/2fa/enrol")).Json.GetProperty("secret").GetString()!;
        // Of the next step, which counts longest: what no longer counts is only a wrong one.
        var code = Totp.Code(secret, TimeProvider.System.GetUtcNow().AddSeconds(Totp.StepSeconds));
        (await client.PostAsync("/api/auth/2fa/confirm", new { code })).Status.ShouldBe(200);

        var challengeId = (await LogInAsync(user.Email, FeatureHost.Password)).Json.GetProperty("challengeId").GetString();
        (await host.Client().PostAsync("/api/auth/login/2fa", new { challengeId, code })).Code.ShouldBe("invalid_code");

        (await host.MailAsync(user.Email, "A code was used a second time")).ShouldNotContain(code);
        await Eventually.TrueAsync(
            async () => await host.Database.ScalarAsync<long>("SELECT count(*) FROM audit_events WHERE user_id = $1 AND action = 'login.second_factor' AND NOT succeeded AND detail LIKE '%used before%'", user.Key) == 1,
            TimeSpan.FromSeconds(60));
        // Twice in signed-in calls too.
        (await client.PostAsync("/api/auth/reauthenticate", new { password = FeatureHost.Password, code })).Status.ShouldBe(400);
        await Eventually.TrueAsync(
            async () => await host.Database.ScalarAsync<long>("SELECT count(*) FROM audit_events WHERE user_id = $1 AND action = 'login.second_factor' AND NOT succeeded AND detail LIKE '%used before%'", user.Key) == 2,
            TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task PasswordChange_NeedsTheOldOne_EndsEverySession_AndTellsTheOwner()
    {
        var user = await host.AccountAsync();
        var (client, other) = (await host.SignedInAsync(user), await host.SignedInAsync(user));
        const string Fresh = "another-good-passphrase";

        (await client.PutAsync("/api/auth/profile/password", new { currentPassword = "wrong-password-1", newPassword = Fresh })).Status.ShouldBe(400);
        (await other.GetAsync("/api/auth/verify")).Status.ShouldBe(200);
        var changed = await client.PutAsync("/api/auth/profile/password", new { currentPassword = FeatureHost.Password, newPassword = Fresh });
        changed.Status.ShouldBe(200, changed.Text);

        (await other.GetAsync("/api/auth/verify")).Status.ShouldBe(401);
        (await client.GetAsync("/api/auth/verify")).Status.ShouldBe(401);
        (await LogInAsync(user.Email, FeatureHost.Password)).Status.ShouldBe(401);
        (await LogInAsync(user.Email, Fresh)).Status.ShouldBe(200);
        await host.MailAsync(user.Email, "password has changed");
    }

    [Fact]
    public async Task StoredPassword_IsSalted_AndHashedSlowly()
    {
        new PasswordSettings().HashIterations.ShouldBeGreaterThanOrEqualTo(210_000);
        var hasher = host.Services.GetRequiredService<IPasswordHasher<User>>();
        var user = await host.AccountAsync();

        var stored = (await host.FindAsync(user))!.PasswordHash!;
        var (first, second) = (Convert.FromBase64String(stored), Convert.FromBase64String(hasher.HashPassword(user, FeatureHost.Password)));

        // Identity's format 3: marker, PRF (2: HMAC-SHA-512), rounds, length of the salt, salt, hash.
        first[0].ShouldBe((byte)1);
        BinaryPrimitives.ReadInt32BigEndian(first.AsSpan(1)).ShouldBe(2);
        BinaryPrimitives.ReadInt32BigEndian(first.AsSpan(5)).ShouldBeGreaterThanOrEqualTo(100_000);
        BinaryPrimitives.ReadInt32BigEndian(first.AsSpan(9)).ShouldBeGreaterThanOrEqualTo(16);
        first.AsSpan(13, 16).SequenceEqual(second.AsSpan(13, 16)).ShouldBeFalse();
    }

    [Fact]
    public async Task Owner_IsToldByMail_WhenAWayToSignInChanges()
    {
        var user = await host.AccountAsync();
        var client = await host.SignedInAsync(user);
        var secret = (await client.PostAsync("/api/auth/2fa/enrol")).Json.GetProperty("secret").GetString()!;
        (await client.PostAsync("/api/auth/2fa/confirm", new { code = Totp.Code(secret, TimeProvider.System.GetUtcNow()) })).Status.ShouldBe(200);
        await host.MailAsync(user.Email, "second factor has been turned on");

        (await client.PostAsync("/api/auth/2fa/recovery-codes")).Status.ShouldBe(200);
        await host.MailAsync(user.Email, "recovery codes have been replaced");
        (await client.PostAsync("/api/auth/2fa/disable")).Status.ShouldBe(204);
        await host.MailAsync(user.Email, "second factor has been turned off");

        await host.Database.ExecuteAsync("INSERT INTO external_logins (provider, subject, user_id) VALUES ('acme', $1::text, $1::uuid)", user.Id);
        (await client.DeleteAsync("/api/auth/external-logins/acme")).Status.ShouldBe(204);
        await host.MailAsync(user.Email, "can no longer be signed in to by \"acme\"");
        var deleted = await client.SendAsync(HttpMethod.Delete, "/api/auth/account", System.Net.Http.Json.JsonContent.Create(new { password = FeatureHost.Password }));
        deleted.Status.ShouldBe(204, deleted.Text);
        await host.MailAsync(user.Email, "Your account has been deleted");
    }

    [Fact]
    public async Task Reset_NeitherTellsThePassword_NorPassesTheSecondFactor()
    {
        var user = await host.AccountAsync();
        await host.Database.ExecuteAsync("UPDATE users SET two_factor_enabled = true, authenticator_key = 'GEZDGNBVGY3TQOJQ' WHERE id = $1", user.Id);
        (await host.Client().PostAsync("/api/auth/forgot-password", new { email = user.Email })).Status.ShouldBe(202);
        var mail = await host.MailAsync(user.Email, "reset-password?token=");
        mail.ShouldNotContain(FeatureHost.Password);
        var token = mail.Split("reset-password?token=")[1].Split()[0];

        (await host.Client().PostAsync("/api/auth/reset-password", new { token, newPassword = "another-good-passphrase" })).Status.ShouldBe(204);

        (await LogInAsync(user.Email, "another-good-passphrase")).Json.TryGetProperty("challengeId", out _).ShouldBeTrue();
        (await host.Client().PostAsync("/api/auth/reset-password", new { token, newPassword = "yet-another-passphrase" })).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Password_IsNeverDueForAChange_AndMayBeOneOfBefore()
    {
        var user = await host.AccountAsync();
        await host.Database.ExecuteAsync("UPDATE users SET created_at = now() - interval '10 years' WHERE id = $1", user.Id);
        const string Other = "another-good-passphrase";

        var (from, to) = (FeatureHost.Password, Other);
        for (var i = 0; i < 4; i++)
        {
            var signedIn = await LogInAsync(user.Email, from);
            signedIn.Status.ShouldBe(200, signedIn.Text);
            var client = new ApiClient(host.Address) { Token = signedIn.Json.GetProperty("sessionToken").GetString() };
            (await client.GetAsync("/api/auth/profile")).Status.ShouldBe(200, "a session that asks for nothing first");
            var changed = await client.PutAsync("/api/auth/profile/password", new { currentPassword = from, newPassword = to });
            changed.Status.ShouldBe(200, changed.Text);
            (from, to) = (to, from);
        }

        (await LogInAsync(user.Email, FeatureHost.Password)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task SecondFactor_IsAnAuthenticatorOrARecoveryCode_NeverSmsOrMail()
    {
        var user = await host.AccountAsync();
        var key = Totp.NewKey();
        await host.Database.ExecuteAsync("UPDATE users SET two_factor_enabled = true, authenticator_key = $2 WHERE id = $1", user.Id, key);

        var challenge = (await LogInAsync(user.Email, FeatureHost.Password)).Json;

        challenge.GetProperty("methods").EnumerateArray().Select(method => method.GetString()).ShouldBe(["totp", "recovery_code"]);
        var challengeId = challenge.GetProperty("challengeId").GetString();
        foreach (var method in (string[])["sms", "email", "phone", "push"])
        {
            var refused = await host.Client().PostAsync("/api/auth/login/2fa", new { challengeId, code = Totp.Code(key, TimeProvider.System.GetUtcNow()), method });
            refused.Status.ShouldBe(400, method);
            refused.Json.GetProperty("errors").TryGetProperty("method", out _).ShouldBeTrue(refused.Text);
        }

        (await NamesAsync()).ShouldNotContain(name => Telephone().IsMatch(name));
    }

    [Fact]
    public async Task Account_HasNoHintAndNoSecretQuestion()
    {
        var names = await NamesAsync();

        names.ShouldContain("newPassword");
        names.ShouldContain("password_hash");
        names.ShouldNotContain(name => Hint().IsMatch(name));
    }

    [Fact]
    public async Task Host_HasNoAccountsOfItsOwn()
    {
        var fresh = await FeatureHost.MigratedDatabaseAsync();

        (await fresh.ScalarAsync<long>("SELECT count(*) FROM users")).ShouldBe(0);
    }

    [GeneratedRegex("hint|question|answer|reminder|maiden|birth|pet_?name", RegexOptions.IgnoreCase)]
    private static partial Regex Hint();

    [GeneratedRegex("(^|[_/-])sms|Sms|[Pp]hone")]
    private static partial Regex Telephone();

    // Of all that the API takes, answers or is reached by, and of all that the database keeps.
    private async Task<IReadOnlyList<string>> NamesAsync()
    {
        var names = new List<string>();
        Walk((await host.Client().GetAsync("/openapi/v1.json")).Json);
        names.AddRange(await host.Database.ListAsync<string>("SELECT column_name::text FROM information_schema.columns WHERE table_schema = current_schema()"));
        return names;

        void Walk(JsonElement json)
        {
            if (json.ValueKind == JsonValueKind.Object)
            {
                foreach (var property in json.EnumerateObject())
                {
                    if (property.Name is "properties" or "paths")
                    {
                        names.AddRange(property.Value.EnumerateObject().Select(field => field.Name));
                    }
                    else if (property.Name == "parameters")
                    {
                        names.AddRange(property.Value.EnumerateArray().Select(parameter => parameter.GetProperty("name").GetString()!));
                    }

                    Walk(property.Value);
                }
            }
            else if (json.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in json.EnumerateArray())
                {
                    Walk(item);
                }
            }
        }
    }

    private async Task<string> ResetTokenAsync(User user)
    {
        (await host.Client().PostAsync("/api/auth/forgot-password", new { email = user.Email })).Status.ShouldBe(202);
        return (await host.MailAsync(user.Email, "reset-password?token=")).Split("reset-password?token=")[1].Split()[0];
    }

    private Task<Answer> LogInAsync(string email, string password) => host.Client().PostAsync("/api/auth/login", new { email, password });
}
