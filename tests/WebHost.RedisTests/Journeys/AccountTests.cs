using System.Net;
using System.Text.Json.Nodes;
using Maintenance.Storage.Outage;
using Maintenance.Storage.UserData;
using Maintenance.Testing;
using Maintenance.WebHost.Accounts;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.RedisTests.Journeys;

[Collection(HostGroup.Name)]
public sealed class AccountTests(HostFixture fixture)
{
    private readonly AuthClient client = fixture.Client;

    [Fact]
    public async Task Email_IsVerifiedOnce_ByTheMailedToken()
    {
        var email = await client.RegisterAsync();
        var token = await fixture.Host.MailedTokenAsync("email_verification", email);
        (await client.PostAsync("/api/auth/verify-email", new { token })).Status.ShouldBe(HttpStatusCode.NoContent);
        (await client.PostAsync("/api/auth/verify-email", new { token })).Code.ShouldBe("invalid_token");
        (await client.TryLoginAsync(email)).Json.GetProperty("user").GetProperty("emailVerified").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Mail_BringsNothingThatAStrangerWrote_ToAnAddressThatIsNotTheirs()
    {
        var email = AuthClient.NewAddress();
        var body = new { email, password = AuthClient.Password, name = "Your account is at risk" };
        (await client.PostAsync("/api/auth/register", body with { name = "See http://evil.example" })).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await client.PostAsync("/api/auth/register", body)).Status.ShouldBe(HttpStatusCode.Created);
        (await client.PostAsync("/api/auth/register", body)).Status.ShouldBe(HttpStatusCode.Created);
        await client.PostAsync("/api/auth/forgot-password", new { email });

        foreach (var kind in (string[])["email_verification", "already_registered", "password_reset"])
        {
            (await MailAsync(kind)).ShouldNotContain("at risk");
        }

        var token = await fixture.Host.MailedTokenAsync("email_verification", email);
        (await client.PostAsync("/api/auth/verify-email", new { token, password = AuthClient.Password })).Status.ShouldBe(HttpStatusCode.NoContent);
        await client.SendAsync(HttpMethod.Delete, "/api/auth/account", new { password = AuthClient.Password }, (await client.LoginAsync(email)).Session);
        (await MailAsync("account_deleted")).ShouldContain("Hello Your account is at risk,", customMessage: "by now it is the owner's own name");

        Task<string> MailAsync(string kind) =>
            Eventually.NotNullAsync(() => Task.FromResult(fixture.Host.MailsTo(kind, email).FirstOrDefault()), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task LogIn_NeedsAVerifiedAddress_IfConfigured()
    {
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["Accounts:RequireVerifiedEmail"] = "true" });
        var strict = new AuthClient(host.Api);
        var email = await strict.RegisterAsync();
        (await strict.TryLoginAsync(email)).Code.ShouldBe("email_not_verified");
        (await strict.TryLoginAsync(email, "wrong password")).Code.ShouldBe("invalid_credentials");
        await strict.PostAsync("/api/auth/verify-email", new { token = await host.MailedTokenAsync("email_verification", email) });
        await strict.LoginAsync(email);
    }

    [Fact]
    public async Task PasswordReset_EndsEverySession_AndItsTokenWorksOnce()
    {
        var email = await client.RegisterAsync();
        var before = await client.LoginAsync(email);
        await client.PostAsync("/api/auth/forgot-password", new { email });
        var token = await fixture.Host.MailedTokenAsync("password_reset", email);

        (await client.PostAsync("/api/auth/reset-password", new { token, newPassword = "password1" })).Json.GetProperty("errors").GetProperty("newPassword").GetArrayLength().ShouldBe(1);
        (await client.PostAsync("/api/auth/reset-password", new { token, newPassword = "another good password" })).Status.ShouldBe(HttpStatusCode.NoContent);

        (await client.VerifyAsync(before.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.RefreshAsync(before.Refresh)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await client.TryLoginAsync(email)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await client.PostAsync("/api/auth/reset-password", new { token, newPassword = "a third good password" })).Code.ShouldBe("invalid_token");
        await client.LoginAsync(email, "another good password");
        await Eventually.TrueAsync(() => fixture.Host.MailsTo("password_changed", email).Any(), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task PasswordChange_EndsEverySession_AndTheCallerGetsANewOne()
    {
        var email = await client.RegisterAsync();
        var (caller, other) = (await client.LoginAsync(email), await client.LoginAsync(email));
        var body = new { currentPassword = AuthClient.Password, newPassword = "another good password" };
        (await client.SendAsync(HttpMethod.Put, "/api/auth/profile/password", body with { currentPassword = "wrong" }, caller.Session)).Status.ShouldBe(HttpStatusCode.BadRequest);

        var changed = await client.SendAsync(HttpMethod.Put, "/api/auth/profile/password", body, caller.Session);

        changed.Status.ShouldBe(HttpStatusCode.OK, changed.Text);
        (await client.VerifyAsync(changed.Tokens.Session)).ShouldBe(HttpStatusCode.OK);
        (await client.VerifyAsync(caller.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.VerifyAsync(other.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.RefreshAsync(other.Refresh)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await client.RefreshAsync(changed.Tokens.Refresh)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task DisabledAccount_LosesItsSessionsAtOnce_AndCannotSignIn()
    {
        var email = await client.RegisterAsync();
        var tokens = await client.LoginAsync(email);
        using var scope = fixture.Host.Services.CreateScope();
        using var users = scope.ServiceProvider.GetRequiredService<UserManager<User>>();
        var state = scope.ServiceProvider.GetRequiredService<AccountState>();
        var user = (await users.FindByEmailAsync(email))!;

        (await state.ShutAsync(user)).ShouldBeTrue();
        (await state.EndSessionsAsync(user)).ShouldBe(RevocationOutcome.Done);

        (await client.VerifyAsync(tokens.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.RefreshAsync(tokens.Refresh)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await client.TryLoginAsync(email)).Code.ShouldBe("account_disabled");
        (await client.TryLoginAsync(email, "wrong password")).Code.ShouldBe("invalid_credentials");
        (await state.EnableAsync(user)).ShouldBeTrue();
        await client.LoginAsync(email);
    }

    [Fact]
    public async Task Audit_HasARowForEachEvent_ThatNobodyChanges_AndNoSecretOrAddress()
    {
        var email = await client.RegisterAsync();
        await client.TryLoginAsync(email, "wrong password");
        var reply = await client.TryLoginAsync(email);
        var id = reply.Json.GetProperty("user").GetProperty("id").GetString()!;
        await client.PostAsync("/api/auth/logout", token: reply.Tokens.Session);

        await Eventually.TrueAsync(
            async () => (await fixture.Database.ScalarAsync<long>("SELECT count(*) FROM audit_events WHERE user_id = $1", id)) >= 4, TimeSpan.FromSeconds(30));
        var rows = await fixture.Database.ScalarAsync<string>("SELECT string_agg(action || ' ' || succeeded, ', ' ORDER BY id) FROM audit_events WHERE user_id = $1", id);
        rows.ShouldBe("account.registered true, login false, login true, logout true");

        foreach (var change in (string[])["DELETE FROM audit_events", "UPDATE audit_events SET action = 'x'", "TRUNCATE audit_events"])
        {
            (await Should.ThrowAsync<Npgsql.PostgresException>(() => fixture.Database.ExecuteAsync(change))).Message.ShouldContain("append-only", customMessage: change);
        }

        (await fixture.Database.ScalarAsync<long>("SELECT count(*) FROM audit_events WHERE user_id = $1", id)).ShouldBe(4);
        var logged = string.Join('\n', fixture.Host.Logs.Entries.Select(entry => entry.Message));
        logged.ShouldNotContain(AuthClient.Password);
        logged.ShouldNotContain(reply.Tokens.Session);
        logged.ShouldNotContain(reply.Tokens.Refresh);
        logged.ShouldNotContain(email);
    }

    [Fact]
    public async Task Export_HoldsAllOfTheUser_AndNoSecret()
    {
        var email = await client.RegisterAsync();
        var tokens = await client.LoginAsync(email, device: "Phone");
        var export = await client.GetAsync("/api/auth/account/export", tokens.Session);
        export.Status.ShouldBe(HttpStatusCode.OK, export.Text);
        export.Json.GetProperty("account").GetProperty("email").GetString().ShouldBe(email);
        export.Json.GetProperty("sessions")[0].GetProperty("device_name").GetString().ShouldBe("Phone");
        export.Text.ShouldNotContain(tokens.Session);
        export.Text.ShouldNotContain("AQAAAA", customMessage: "how a password hash begins");
    }

    [Fact]
    public async Task Export_IsRationed_AndNeedsARecentProof_BecauseItWalksOverTheWholeStore()
    {
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["Storage:RateLimits:export:Permits"] = "3" });
        var own = new AuthClient(host.Api);
        var tokens = await own.LoginAsync(await own.RegisterAsync());
        for (var i = 0; i < 3; i++)
        {
            (await own.GetAsync("/api/auth/account/export", tokens.Session)).Status.ShouldBe(HttpStatusCode.OK);
        }

        var fourth = await own.GetAsync("/api/auth/account/export", tokens.Session);

        (fourth.Status, fourth.Code).ShouldBe((HttpStatusCode.TooManyRequests, "rate_limited"));
        fourth.Headers["RateLimit-Limit"].ShouldBe("3");
        // What a refresh token made began without its owner.
        var refreshed = (await own.RefreshAsync((await own.LoginAsync(await own.RegisterAsync())).Refresh)).Tokens;
        (await own.GetAsync("/api/auth/account/export", refreshed.Session)).Code.ShouldBe("reauthentication_required");
    }

    [Fact]
    public async Task Exports_AreMadeOneAtATime()
    {
        var source = new CountingSource();
        await using var host = await HostInstance.StartAsync(fixture.Settings, services => services.AddSingleton<IUserDataSource>(source));
        var own = new AuthClient(host.Api);
        var sessions = new List<Tokens>();
        for (var i = 0; i < 4; i++)
        {
            sessions.Add(await own.LoginAsync(await own.RegisterAsync()));
        }

        var exports = await Task.WhenAll(sessions.Select(tokens => own.GetAsync("/api/auth/account/export", tokens.Session)));

        exports.ShouldAllBe(export => export.Status == HttpStatusCode.OK);
        (source.Exports, source.MostAtOnce).ShouldBe((4, 1));
    }

    [Fact]
    public async Task Deletion_NeedsThePassword_EndsEverything_AndFreesTheAddress()
    {
        var email = await client.RegisterAsync();
        var reply = await client.TryLoginAsync(email);
        var (tokens, id) = (reply.Tokens, reply.Json.GetProperty("user").GetProperty("id").GetString()!);
        (await client.SendAsync(HttpMethod.Delete, "/api/auth/account", new { password = "wrong" }, tokens.Session)).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await client.SendAsync(HttpMethod.Delete, "/api/auth/account", new { }, tokens.Session)).Status.ShouldBe(HttpStatusCode.BadRequest);

        (await client.SendAsync(HttpMethod.Delete, "/api/auth/account", new { password = AuthClient.Password }, tokens.Session)).Status.ShouldBe(HttpStatusCode.NoContent);

        (await client.VerifyAsync(tokens.Session)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.RefreshAsync(tokens.Refresh)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await client.TryLoginAsync(email)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await fixture.Database.ScalarAsync<long>("SELECT count(*) FROM users WHERE id::text = $1", id)).ShouldBe(0);
        await client.RegisterAsync(email);
        await client.LoginAsync(email);
    }

    /// <summary>Takes long enough for the exports to meet, if they may.</summary>
    private sealed class CountingSource : IUserDataSource
    {
        private int now;

        public string Name => "counting";

        public int Exports { get; private set; }

        public int MostAtOnce { get; private set; }

        public async Task<JsonNode?> ExportAsync(string userId, CancellationToken cancellationToken)
        {
            MostAtOnce = Math.Max(MostAtOnce, Interlocked.Increment(ref now));
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
            Exports++;
            Interlocked.Decrement(ref now);
            return null;
        }

        public Task<long> EraseAsync(string userId, CancellationToken cancellationToken) => Task.FromResult(0L);
    }
}
