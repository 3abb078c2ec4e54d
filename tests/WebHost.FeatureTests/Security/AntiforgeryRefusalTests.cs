using Maintenance.Testing;
using Maintenance.WebHost.Admin.Pages;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;

namespace Maintenance.WebHost.FeatureTests.Security;

/// <summary>
/// A call that another site may have made the browser send leaves a row and a line: of nobody, because its session has not been looked at, except where a
/// page knows who is signed in.
/// </summary>
[Collection(FeatureCollection.Name)]
public sealed class AntiforgeryRefusalTests(FeatureHost host)
{
    [Theory]
    [InlineData("no token", 403, Antiforgery.NoToken)]
    [InlineData("the token of another session", 403, Antiforgery.WrongToken)]
    [InlineData("a session that nobody has", 403, Antiforgery.NoToken)]
    [InlineData("a button of the administration pages", 303, AdminPageFilter.ForeignForm)]
    [InlineData("the sign-in of the administration pages", 303, AdminPageFilter.ForeignForm)]
    public async Task RefusalForWantOfTheAntiforgeryToken_HasItsRowAndItsLine_WithoutTheToken(string what, int status, string detail)
    {
        var user = await host.AccountAsync();
        var (known, button) = ("", what.StartsWith("a button", StringComparison.Ordinal));
        if (button)
        {
            user.Roles.Add(new UserRole { UserId = user.Id, Role = Roles.Admin });
            known = user.Key;
        }

        var token = (await host.SignedInAsync(user)).Token!;
        var pages = what.EndsWith("pages", StringComparison.Ordinal);
        var browser = pages ? new ApiClient(new Uri($"http://127.0.0.1:{host.Settings["Management:Port"]}")) : host.Client();
        browser.UserAgent = $"mislead-{Guid.NewGuid():N}";
        browser.Cookies["__Host-session"] = what == "a session that nobody has" ? "nothing" : token;
        if (what.StartsWith("the token", StringComparison.Ordinal))
        {
            browser.More[Antiforgery.Header] = SessionCookies.AntiforgeryTokenOf("another");
        }

        if (pages)
        {
            browser.More["Sec-Fetch-Site"] = "cross-site";
        }

        using var form = pages ? new FormUrlEncodedContent([new("form", SessionCookies.AntiforgeryTokenOf(token)), new("email", user.Email), new("password", FeatureHost.Password)]) : null;
        var answer = await browser.SendAsync(
            HttpMethod.Post, button ? $"/admin/users/{user.Key}/sessions/end" : pages ? "/admin/sign-in" : "/api/auth/logout", form);

        answer.Status.ShouldBe(status, answer.Text);
        const string rows = "SELECT coalesce(string_agg(concat_ws('|', action, detail, user_id, succeeded), ',' ORDER BY id), '') FROM audit_events WHERE user_agent = $1 AND address IS NOT NULL";
        var expected = string.Join('|', ((string[])[AuditActions.AntiforgeryRefused, detail, known, "f"]).Where(part => part.Length > 0));
        await Eventually.TrueAsync(async () => await host.Database.ScalarAsync<string>(rows, browser.UserAgent) == expected, TimeSpan.FromSeconds(60), what);
        host.Logs.WithEvent(3100).ShouldContain(entry =>
            Equals(entry.Values["Action"], AuditActions.AntiforgeryRefused) && Equals(entry.Values["Detail"], detail) && Equals(entry.Values["Outcome"], "failure"));
        host.Logs.Entries.ShouldAllBe(entry => !entry.Message.Contains(token, StringComparison.Ordinal));
        var owner = host.Client();
        owner.Token = token;
        (await owner.GetAsync("/api/auth/verify")).Status.ShouldBe(200, "nothing has been done");
    }
}
