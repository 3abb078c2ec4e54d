using System.Net;
using Maintenance.Testing;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Maintenance.WebHost.RedisTests.Journeys;

[Collection(HostGroup.Name)]
public sealed class SignInTests(HostFixture fixture)
{
    private readonly AuthClient client = fixture.Client;

    [Fact]
    public async Task Journey_FromRegistrationToLogOutEverywhere()
    {
        var email = await client.RegisterAsync();
        var reply = await client.TryLoginAsync(email, device: "Phone");
        reply.Status.ShouldBe(HttpStatusCode.OK);
        reply.Json.GetProperty("user").GetProperty("email").GetString().ShouldBe(email);
        reply.Json.GetProperty("expiresAt").GetDateTimeOffset().ShouldBeGreaterThan(DateTimeOffset.UnixEpoch.AddYears(50));
        var first = reply.Tokens;

        var verified = await client.PostAsync("/api/auth/verify", token: first.Session);
        verified.Status.ShouldBe(HttpStatusCode.OK);
        verified.Headers["X-Auth-User-Id"].ShouldBe(reply.Json.GetProperty("user").GetProperty("id").GetString());
        verified.Headers["X-Auth-Session-Id"].Length.ShouldBe(22);
        first.Session.ShouldNotContain(verified.Headers["X-Auth-Session-Id"]);

        var second = (await client.RefreshAsync(first.Refresh)).Tokens;
        (await client.VerifyAsync(second.Session)).ShouldBe(HttpStatusCode.OK);
        (await client.VerifyAsync(first.Session)).ShouldBe(HttpStatusCode.Unauthorized, "a refresh replaces the session");

        var other = await client.LoginAsync(email);
        (await client.PostAsync("/api/auth/logout", token: other.Session)).Status.ShouldBe(HttpStatusCode.NoContent);
        (await client.VerifyAsync(other.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.RefreshAsync(other.Refresh)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await client.VerifyAsync(second.Session)).ShouldBe(HttpStatusCode.OK);

        var third = await client.LoginAsync(email);
        (await client.PostAsync("/api/auth/logout-all", token: third.Session)).Status.ShouldBe(HttpStatusCode.OK);
        (await client.VerifyAsync(second.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.VerifyAsync(third.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.RefreshAsync(second.Refresh)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("/api/auth/verify")]
    [InlineData("/api/auth/sessions/activity")]
    public async Task Request_AsksForItsSessionOnce(string path)
    {
        await using var host = await HostInstance.StartAsync(fixture.Settings);
        var tokens = await client.LoginAsync(await client.RegisterAsync());
        async Task<double> ValidationsAsync() => (await host.Management.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Split('\n')
            .Where(line => line.StartsWith("authstore_operation_duration_seconds_count", StringComparison.Ordinal)
                && line.Contains("\"sessions\"", StringComparison.Ordinal) && line.Contains("\"validate\"", StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
        var before = await ValidationsAsync();

        (await new AuthClient(host.Api).GetAsync(path, tokens.Session)).Status.ShouldBe(HttpStatusCode.OK);

        (await ValidationsAsync() - before).ShouldBe(1);
    }

    [Fact]
    public async Task LogOutEverywhere_KeepsThisSession_IfAsked()
    {
        var email = await client.RegisterAsync();
        var (kept, other) = (await client.LoginAsync(email), await client.LoginAsync(email));
        (await client.PostAsync("/api/auth/logout-all?keepCurrent=true", token: kept.Session)).Json.GetProperty("ended").GetInt32().ShouldBe(1);
        (await client.VerifyAsync(kept.Session)).ShouldBe(HttpStatusCode.OK);
        (await client.VerifyAsync(other.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.RefreshAsync(kept.Refresh)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task RefreshToken_ThatWasUsedLongAgo_EndsItsSession()
    {
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["Storage:RefreshTokens:RotationGrace"] = "00:00:00" });
        var strict = new AuthClient(host.Api);
        var first = await strict.LoginAsync(await strict.RegisterAsync());
        var second = (await strict.RefreshAsync(first.Refresh)).Tokens;

        var replay = await strict.RefreshAsync(first.Refresh);

        replay.Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await strict.VerifyAsync(second.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        (await strict.RefreshAsync(second.Refresh)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Refresh_WithTheSessionsToken_RotatesTheSession_AndTheOldTokenHasItsGrace()
    {
        var first = await client.LoginAsync(await client.RegisterAsync(), device: "Phone");
        var second = (await client.PostAsync("/api/auth/refresh", new { refreshToken = first.Refresh }, first.Session)).Tokens;
        (await client.VerifyAsync(second.Session)).ShouldBe(HttpStatusCode.OK);
        (await client.VerifyAsync(first.Session)).ShouldBe(HttpStatusCode.OK, "parallel requests of the page still come with it");
        (await client.RefreshAsync(second.Refresh)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task SecondFactor_IsAskedFor_AndEachCodeWorksOnce()
    {
        var email = await client.RegisterAsync();
        var (key, recovery) = await EnrolAsync(email);

        var asked = await client.TryLoginAsync(email, device: "Laptop");
        asked.Status.ShouldBe(HttpStatusCode.OK);
        asked.Json.TryGetProperty("sessionToken", out _).ShouldBeFalse();
        asked.Json.GetProperty("methods").EnumerateArray().Select(method => method.GetString()).ShouldContain("totp");
        var challenge = asked.Json.GetProperty("challengeId").GetString()!;

        var wrong = await FinishAsync(challenge, "000000");
        wrong.Status.ShouldBe(HttpStatusCode.Unauthorized);
        wrong.Json.GetProperty("attemptsLeft").GetInt32().ShouldBe(4);

        var code = Totp.Code(key, TimeProvider.System.GetUtcNow());
        var signedIn = await FinishAsync(challenge, code);
        signedIn.Status.ShouldBe(HttpStatusCode.OK, signedIn.Text);
        (await client.VerifyAsync(signedIn.Tokens.Session)).ShouldBe(HttpStatusCode.OK);
        (await FinishAsync(challenge, code)).Code.ShouldBe("invalid_challenge");

        var again = (await client.TryLoginAsync(email)).Json.GetProperty("challengeId").GetString()!;
        (await FinishAsync(again, code)).Status.ShouldBe(HttpStatusCode.Unauthorized, "the code was used");
        (await FinishAsync(again, recovery)).Status.ShouldBe(HttpStatusCode.OK);

        var last = (await client.TryLoginAsync(email)).Json.GetProperty("challengeId").GetString()!;
        (await FinishAsync(last, recovery)).Status.ShouldBe(HttpStatusCode.Unauthorized, "the recovery code was used");
    }

    [Fact]
    public async Task SecondFactor_LocksAfterItsAttempts()
    {
        var email = await client.RegisterAsync();
        var (key, _) = await EnrolAsync(email);
        var challenge = (await client.TryLoginAsync(email)).Json.GetProperty("challengeId").GetString()!;
        for (var i = 0; i < 5; i++)
        {
            (await FinishAsync(challenge, "000000")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        }

        (await FinishAsync(challenge, Totp.Code(key, TimeProvider.System.GetUtcNow()))).Code.ShouldBe("challenge_locked");
    }

    [Fact]
    public async Task Account_IsLockedLongerAndLonger_AfterFailures_KnownOrNot_AndAResetUnlocksIt()
    {
        var email = await client.RegisterAsync();
        foreach (var address in (string[])[email, AuthClient.NewAddress()])
        {
            for (var i = 0; i < 5; i++)
            {
                (await client.TryLoginAsync(address, "wrong password")).Code.ShouldBe("invalid_credentials");
            }

            var locked = await client.TryLoginAsync(address);
            locked.Status.ShouldBe(HttpStatusCode.TooManyRequests);
            locked.Code.ShouldBe("rate_limited");
            int.Parse(locked.Headers["Retry-After"], System.Globalization.CultureInfo.InvariantCulture).ShouldBeGreaterThan(30);
            locked.Headers["X-RateLimit-Limit"].ShouldBe("5");
        }

        (await client.PostAsync("/api/auth/forgot-password", new { email })).Status.ShouldBe(HttpStatusCode.Accepted);
        var token = await fixture.Host.MailedTokenAsync("password_reset", email);
        (await client.PostAsync("/api/auth/reset-password", new { token, newPassword = "another good password" })).Status.ShouldBe(HttpStatusCode.NoContent);
        await client.LoginAsync(email, "another good password");
    }

    [Fact]
    public async Task Failures_AreForgotten_WhenThePasswordWasRight()
    {
        var email = await client.RegisterAsync();
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 4; i++)
            {
                (await client.TryLoginAsync(email, "wrong password")).Status.ShouldBe(HttpStatusCode.Unauthorized);
            }

            await client.LoginAsync(email);
        }
    }

    [Fact]
    public async Task LogInUnderWay_WithTheOldPassword_GetsNoChallenge_AfterAReset()
    {
        using var hasher = new WaitingHasher();
        await using var host = await HostInstance.StartAsync(
            new(fixture.Settings) { ["Passwords:MaxParallelHashes"] = "4" },
            services => services.Replace(ServiceDescriptor.Singleton<IPasswordHasher<User>>(hasher)));
        var (there, email) = (new AuthClient(host.Api), await client.RegisterAsync());
        // Its owner is proved, so that the reset leaves the second factor.
        await client.PostAsync("/api/auth/verify-email", new { token = await fixture.Host.MailedTokenAsync("email_verification", email), password = AuthClient.Password });
        await EnrolAsync(email);
        var underWay = there.TryLoginAsync(email);
        await hasher.Begun.Task.WaitAsync(TimeSpan.FromSeconds(60));

        await client.PostAsync("/api/auth/forgot-password", new { email });
        var token = await fixture.Host.MailedTokenAsync("password_reset", email);
        (await client.PostAsync("/api/auth/reset-password", new { token, newPassword = "another good password" })).Status.ShouldBe(HttpStatusCode.NoContent);
        hasher.GoOn.Set();

        (await underWay).Code.ShouldBe("invalid_credentials");
        (await client.TryLoginAsync(email, "another good password")).Json.TryGetProperty("challengeId", out _).ShouldBeTrue();
    }

    [Fact]
    public async Task Stranger_WhoSendsWrongPasswordsAndHasMailsSent_KeepsTheOwnerNeitherFromTheResetNorFromAProof()
    {
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["Storage:RateLimits:mail-account:Permits"] = "2" });
        var there = new AuthClient(host.Api);
        var email = await there.RegisterAsync();
        var owner = await there.LoginAsync(email);
        for (var i = 0; i < 6; i++)
        {
            await there.TryLoginAsync(email, "wrong password");
            await there.RegisterAsync(email);
            await there.PostAsync("/api/auth/verify-email/resend", new { email });
        }

        (await there.TryLoginAsync(email)).Status.ShouldBe(HttpStatusCode.TooManyRequests);
        await Eventually.TrueAsync(() => host.MailsTo("already_registered", email).Count() == 2, TimeSpan.FromSeconds(30));

        var proved = await there.PostAsync("/api/auth/reauthenticate", new { password = AuthClient.Password }, owner.Session);
        proved.Status.ShouldBe(HttpStatusCode.OK, proved.Text);
        await there.PostAsync("/api/auth/forgot-password", new { email });
        var token = await host.MailedTokenAsync("password_reset", email);
        (await there.PostAsync("/api/auth/reset-password", new { token, newPassword = "another good password" })).Status.ShouldBe(HttpStatusCode.NoContent);
        await there.LoginAsync(email, "another good password");
    }

    [Fact]
    public async Task WrongPasswords_OfAStolenSession_AreCountedToo()
    {
        var tokens = await client.LoginAsync(await client.RegisterAsync());
        for (var i = 0; i < 5; i++)
        {
            (await client.PostAsync("/api/auth/reauthenticate", new { password = "wrong password" }, tokens.Session)).Status.ShouldBe(HttpStatusCode.BadRequest);
        }

        (await client.PostAsync("/api/auth/reauthenticate", new { password = AuthClient.Password }, tokens.Session)).Status.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    /// <summary>Begins to check a password, and ends when the test says so.</summary>
    private sealed class WaitingHasher : IPasswordHasher<User>, IDisposable
    {
        private readonly PasswordHasher<User> inner = new();

        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ManualResetEventSlim GoOn { get; } = new();

        public string HashPassword(User user, string password) => inner.HashPassword(user, password);

        public PasswordVerificationResult VerifyHashedPassword(User user, string hashedPassword, string providedPassword)
        {
            Begun.TrySetResult();
            GoOn.Wait(TimeSpan.FromMinutes(2));
            return inner.VerifyHashedPassword(user, hashedPassword, providedPassword);
        }

        public void Dispose() => GoOn.Dispose();
    }

    private Task<Reply> FinishAsync(string challengeId, string code) => client.PostAsync("/api/auth/login/2fa", new { challengeId, code });

    private async Task<(string Key, string Recovery)> EnrolAsync(string email)
    {
        using var scope = fixture.Host.Services.CreateScope();
        using var users = scope.ServiceProvider.GetRequiredService<UserManager<User>>();
        var user = (await users.FindByEmailAsync(email))!;
        user.AuthenticatorKey = Totp.NewKey();
        user.TwoFactorEnabled = true;
        var codes = await users.GenerateNewTwoFactorRecoveryCodesAsync(user, 3);
        return (user.AuthenticatorKey, codes!.First());
    }
}
