using System.Net.Http.Json;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;
using Maintenance.Testing;
using Maintenance.WebHost.Admin;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.SignIn;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.FeatureTests.Security;

/// <summary>Whoever is refused at something that matters to security leaves a row and a line, which tell no code and no password.</summary>
[Collection(FeatureCollection.Name)]
public sealed class AuditRefusalTests(FeatureHost host)
{
    private const string NewPassword = "another-good-passphrase";

    [Theory]
    [InlineData("wrong code to prove it again", 400, AuditActions.SecondFactor, "a wrong code")]
    [InlineData("wrong code at a password change", 400, AuditActions.SecondFactor, "a wrong code")]
    [InlineData("wrong code at a deletion", 400, AuditActions.SecondFactor, "a wrong code")]
    [InlineData("wrong code at an enrolment", 400, AuditActions.SecondFactor, "a wrong code")]
    [InlineData("too many codes of who is signed in", 429, AuditActions.SecondFactorLocked, "too many codes")]
    [InlineData("too many codes at one log-in", 401, AuditActions.SecondFactorLocked, "too many codes at one log-in")]
    [InlineData("too many codes at all log-ins", 429, AuditActions.SecondFactorLocked, "too many codes")]
    [InlineData("log-in that has lost its second factor", 401, AuditActions.SecondFactor, "no such log-in, or it has ended")]
    [InlineData("right code of a disabled account", 403, AuditActions.LoggedIn, "account_disabled")]
    [InlineData("too many passwords of who is signed in", 429, AuditActions.StepUp, "too many wrong passwords")]
    [InlineData("wrong password of who is signed in", 400, AuditActions.StepUp, "a wrong password")]
    [InlineData("refresh of a disabled account", 401, AuditActions.Refreshed, "account_disabled")]
    [InlineData("refresh with what was used before", 401, AuditActions.RefreshReused, "used before; its family has been ended")]
    [InlineData("reset of a disabled account", 400, AuditActions.PasswordReset, AuditDetails.DeadLink)]
    [InlineData("verification of a disabled account", 400, AuditActions.EmailVerified, AuditDetails.DeadLink)]
    [InlineData("administrators' API without the role", 403, AuditActions.AdminRefused, AdminRefusal.NoRole)]
    [InlineData("administrators' API of who had the role", 403, AuditActions.AdminRefused, AdminRefusal.NoRole)]
    [InlineData("administrators' page without the role", 403, AuditActions.AdminRefused, AdminRefusal.NoRole)]
    [InlineData("administrators' page of who had the role", 403, AuditActions.AdminRefused, AdminRefusal.NoRole)]
    [InlineData("sign-in page without the role", 403, AuditActions.AdminRefused, AdminRefusal.NotKept)]
    public async Task Refusal_HasItsRowAndItsLine_WithoutASecret(string what, int status, string action, string detail)
    {
        var user = await host.AccountAsync();
        var key = what.Contains("code", StringComparison.Ordinal) || what.Contains("factor", StringComparison.Ordinal) ? await WithKeyAsync(user, enabled: what != "wrong code at an enrolment") : "";

        var (answer, secret) = await AskAsync(what, user, key);

        answer.Status.ShouldBe(status, answer.Text);
        const string rows = "SELECT coalesce(string_agg(action || '|' || coalesce(detail, ''), ',' ORDER BY id), '') FROM audit_events WHERE user_id = $1 AND NOT succeeded";
        await Eventually.TrueAsync(async () => await host.Database.ScalarAsync<string>(rows, user.Key) == $"{action}|{detail}", TimeSpan.FromSeconds(60), what);
        (await host.Database.ScalarAsync<long>("SELECT count(*) FROM audit_events WHERE user_id = $1 AND NOT succeeded AND address IS NOT NULL", user.Key)).ShouldBe(1);
        var line = host.Logs.WithEvent(3100).Where(entry => Equals(entry.Values["UserId"], user.Key) && Equals(entry.Values["Outcome"], "failure")).ShouldHaveSingleItem();
        (line.Values["Action"], line.Values["Detail"]).ShouldBe((action, detail));
        line.Message.ShouldNotContain(secret);
    }

    /// <summary>Whoever shows what nobody knows is nobody, whatever it says of itself: the row has where it came from, and no user.</summary>
    [Theory]
    [InlineData("refresh with no token at all", 401, AuditActions.Refreshed, "not a refresh token")]
    [InlineData("refresh with a token of a family that has ended", 401, AuditActions.Refreshed, "unknown, ended or expired")]
    [InlineData("refresh after a log-out everywhere", 401, AuditActions.Refreshed, "unknown, ended or expired")]
    [InlineData("verification with no link", 400, AuditActions.EmailVerified, AuditDetails.DeadLink)]
    [InlineData("verification with a spent link", 400, AuditActions.EmailVerified, AuditDetails.DeadLink)]
    [InlineData("reset with no link", 400, AuditActions.PasswordReset, AuditDetails.DeadLink)]
    [InlineData("reset with a spent link", 400, AuditActions.PasswordReset, AuditDetails.DeadLink)]
    public async Task RefusalOfAStranger_HasItsRowAndItsLine_OfNobody_WithoutASecret(string what, int status, string action, string detail)
    {
        var user = await host.AccountAsync();
        var (path, body, secret) = await OfAStrangerAsync(what, user);
        var stranger = host.Client();
        stranger.UserAgent = $"stranger-{Guid.NewGuid():N}";

        var answer = await stranger.PostAsync(path, body);

        answer.Status.ShouldBe(status, answer.Text);
        const string rows = "SELECT coalesce(string_agg(concat_ws('|', action, detail, user_id, succeeded), ',' ORDER BY id), '') FROM audit_events WHERE user_agent = $1 AND address IS NOT NULL";
        await Eventually.TrueAsync(async () => await host.Database.ScalarAsync<string>(rows, stranger.UserAgent) == $"{action}|{detail}|f", TimeSpan.FromSeconds(60), what);
        host.Logs.WithEvent(3100).ShouldContain(entry =>
            Equals(entry.Values["Action"], action) && Equals(entry.Values["Detail"], detail) && Equals(entry.Values["Outcome"], "failure")
            && entry.Values["UserId"] == null && entry.Values["Address"] != null);
        host.Logs.Entries.ShouldAllBe(entry => !entry.Message.Contains(secret, StringComparison.Ordinal));
        (await host.Database.ScalarAsync<long>("SELECT count(*) FROM audit_events WHERE strpos(audit_events::text, $1) > 0", secret)).ShouldBe(0);
    }

    private static string Code(string key, int stepsAhead = 0) => Totp.Code(key, TimeProvider.System.GetUtcNow().AddSeconds(stepsAhead * Totp.StepSeconds));

    private async Task<(Answer Answer, string Secret)> AskAsync(string what, User user, string key)
    {
        // Of no step that is near.
        var wrong = key.Length == 0 ? "" : Code(key, stepsAhead: 50);
        switch (what)
        {
            case "wrong code to prove it again":
                return (await (await host.SignedInAsync(user)).PostAsync("/api/auth/reauthenticate", new { password = FeatureHost.Password, code = wrong }), wrong);
            case "wrong code at a password change":
                return (await (await host.SignedInAsync(user)).PutAsync(
                    "/api/auth/profile/password", new { currentPassword = FeatureHost.Password, newPassword = NewPassword, code = wrong }), wrong);
            case "wrong code at a deletion":
                return (await (await host.SignedInAsync(user)).SendAsync(
                    HttpMethod.Delete, "/api/auth/account", JsonContent.Create(new { password = FeatureHost.Password, code = wrong })), wrong);
            case "wrong code at an enrolment":
                return (await (await host.SignedInAsync(user)).PostAsync("/api/auth/2fa/confirm", new { code = wrong }), wrong);
            case "too many codes of who is signed in":
                await ChallengeAsync(user, attempts: 5);
                await ChallengeAsync(user, attempts: 5);
                return (await (await host.SignedInAsync(user)).PostAsync("/api/auth/reauthenticate", new { password = FeatureHost.Password, code = Code(key) }), Code(key));
            case "too many codes at one log-in":
                return await SecondFactorAsync(await ChallengeAsync(user, attempts: 5), Code(key));
            case "too many codes at all log-ins":
                var last = await ChallengeAsync(user, attempts: 0);
                await ChallengeAsync(user, attempts: 5);
                await ChallengeAsync(user, attempts: 5);
                return await SecondFactorAsync(last, Code(key));
            case "log-in that has lost its second factor":
                var left = await ChallengeAsync(user, attempts: 0);
                await host.Database.ExecuteAsync("UPDATE users SET two_factor_enabled = false WHERE id = $1", user.Id);
                return await SecondFactorAsync(left, Code(key));
            case "right code of a disabled account":
                var begun = await ChallengeAsync(user, attempts: 0);
                await DisableAsync(user);
                return await SecondFactorAsync(begun, Code(key));
            case "too many passwords of who is signed in":
                await UseUpAsync($"user:{user.Key}");
                return (await (await host.SignedInAsync(user)).PostAsync("/api/auth/reauthenticate", new { password = FeatureHost.Password }), FeatureHost.Password);
            case "wrong password of who is signed in":
                return (await (await host.SignedInAsync(user)).PostAsync("/api/auth/reauthenticate", new { password = NewPassword }), NewPassword);
            case "refresh of a disabled account":
                var session = await host.SignedInAsync(user);
                var family = await host.Services.GetRequiredService<IRefreshTokenStore>().IssueAsync(
                    new() { UserId = user.Key, SessionId = SessionId.Parse(session.SessionId!) }, CancellationToken.None);
                await DisableAsync(user);
                return (await host.Client().PostAsync("/api/auth/refresh", new { refreshToken = family.Token!.Value }), family.Token.Value);
            case "reset of a disabled account":
                var link = await host.Services.GetRequiredService<IOneTimeTokenStore>().IssueAsync(OneTimePurpose.PasswordReset, user.Key, null, CancellationToken.None);
                await DisableAsync(user);
                return (await host.Client().PostAsync("/api/auth/reset-password", new { token = link.Token.Value, newPassword = NewPassword }), link.Token.Value);
            case "refresh with what was used before":
                return await UsedBeforeAsync(user);
            case "verification of a disabled account":
                var mailed = await host.Services.GetRequiredService<IOneTimeTokenStore>().IssueAsync(
                    OneTimePurpose.EmailVerification, user.Key, user.NormalizedEmail, CancellationToken.None);
                await DisableAsync(user);
                return (await host.Client().PostAsync("/api/auth/verify-email", new { token = mailed.Token.Value }), mailed.Token.Value);
            default:
                return await AskAsAdministratorAsync(what, user);
        }
    }

    private async Task<(Answer Answer, string Secret)> AskAsAdministratorAsync(string what, User user)
    {
        var pages = new ApiClient(new Uri($"http://127.0.0.1:{host.Settings["Management:Port"]}"));
        if (what == "sign-in page without the role")
        {
            using var form = new FormUrlEncodedContent([new("email", user.Email), new("password", FeatureHost.Password)]);
            return (await pages.SendAsync(HttpMethod.Post, "/admin/sign-in", form), FeatureHost.Password);
        }

        if (what.EndsWith("who had the role", StringComparison.Ordinal))
        {
            // The session says still that it has it.
            user.Roles.Add(new UserRole { UserId = user.Id, Role = Roles.Admin });
        }

        var api = await host.SignedInAsync(user);
        pages.Cookies["__Host-session"] = api.Token!;
        return what.Contains("API", StringComparison.Ordinal)
            ? (await api.GetAsync("/api/auth/admin/users?limit=1"), api.Token!)
            : (await pages.GetAsync("/admin"), api.Token!);
    }

    // The one before the last is taken for a repeated request; older ones are not.
    private async Task<(Answer Answer, string Secret)> UsedBeforeAsync(User user)
    {
        var families = host.Services.GetRequiredService<IRefreshTokenStore>();
        var first = (await families.IssueAsync(new() { UserId = user.Key }, CancellationToken.None)).Token!;
        var second = (await families.RotateAsync(first.Value, CancellationToken.None)).Token!;
        (await families.RotateAsync(second.Value, CancellationToken.None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
        return (await host.Client().PostAsync("/api/auth/refresh", new { refreshToken = first.Value }), first.Value);
    }

    private async Task<(string Path, object Body, string Secret)> OfAStrangerAsync(string what, User user)
    {
        if (what.StartsWith("refresh", StringComparison.Ordinal))
        {
            var families = host.Services.GetRequiredService<IRefreshTokenStore>();
            var family = await families.IssueAsync(new() { UserId = user.Key }, CancellationToken.None);
            if (what.EndsWith("everywhere", StringComparison.Ordinal))
            {
                await host.SessionStore.RevokeAllAsync(user.Key, except: null, CancellationToken.None);
            }
            else
            {
                await families.RevokeAsync(user.Key, family.Family!.Id, CancellationToken.None);
            }

            var token = what.Contains("no token", StringComparison.Ordinal) ? family.Token!.Value[1..] : family.Token!.Value;
            return ("/api/auth/refresh", new { refreshToken = token }, token);
        }

        var links = host.Services.GetRequiredService<IOneTimeTokenStore>();
        var purpose = what.StartsWith("reset", StringComparison.Ordinal) ? OneTimePurpose.PasswordReset : OneTimePurpose.EmailVerification;
        var link = (await links.IssueAsync(purpose, user.Key, user.NormalizedEmail, CancellationToken.None)).Token.Value;
        if (what.EndsWith("spent link", StringComparison.Ordinal))
        {
            (await links.RedeemAsync(purpose, link, CancellationToken.None)).IsAccepted.ShouldBeTrue();
        }
        else
        {
            link = "nothing-that-was-mailed-by-anybody";
        }

        return purpose == OneTimePurpose.PasswordReset
            ? ("/api/auth/reset-password", new { token = link, newPassword = NewPassword }, link)
            : ("/api/auth/verify-email", new { token = link }, link);
    }

    private async Task<(Answer Answer, string Secret)> SecondFactorAsync(string challengeId, string code) =>
        (await host.Client().PostAsync("/api/auth/login/2fa", new { challengeId, code }), code);

    // As a log-in whose password was right begins it; attempts are counted before a code is looked at.
    private async Task<string> ChallengeAsync(User user, int attempts)
    {
        var store = host.Services.GetRequiredService<ITwoFactorStore>();
        var start = await store.BeginAsync(new NewTwoFactorChallenge { UserId = user.Key, Method = SecondFactorMethods.AfterPassword }, CancellationToken.None);
        for (var i = 0; i < attempts; i++)
        {
            (await store.AttemptAsync(start.Token!.Value, CancellationToken.None)).Outcome.ShouldBe(TwoFactorOutcome.Allowed);
        }

        return start.Token!.Value;
    }

    private async Task<string> WithKeyAsync(User user, bool enabled)
    {
        var key = Totp.NewKey();
        await host.Database.ExecuteAsync("UPDATE users SET two_factor_enabled = $2, authenticator_key = $3 WHERE id = $1", user.Id, enabled, key);
        return key;
    }

    private Task<int> DisableAsync(User user) => host.Database.ExecuteAsync("UPDATE users SET disabled_at = now() WHERE id = $1", user.Id);

    // Every refusal makes the block that follows longer, so that it outlasts a machine that stands still.
    private async Task UseUpAsync(string subject)
    {
        var limits = host.Services.GetRequiredService<IRateLimitStore>();
        var whole = (await limits.PeekAsync(Limits.LoginAccount, subject, CancellationToken.None)).Limit;
        for (var i = 0; i < 10; i++)
        {
            await limits.AcquireAsync(new RateLimitRequest(Limits.LoginAccount, subject, whole), CancellationToken.None);
        }

        (await limits.PeekAsync(Limits.LoginAccount, subject, CancellationToken.None)).IsAllowed.ShouldBeFalse();
    }
}
