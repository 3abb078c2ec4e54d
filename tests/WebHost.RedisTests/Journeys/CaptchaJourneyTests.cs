using System.Net;
using Maintenance.Testing;
using Microsoft.AspNetCore.Http;

namespace Maintenance.WebHost.RedisTests.Journeys;

[Collection(HostGroup.Name)]
public sealed class CaptchaJourneyTests(HostFixture fixture)
{
    [Fact]
    public async Task Captcha_IsAskedForAfterFailures_WithoutCostingATry_AndNeverAtTheAdministrationPages()
    {
        await using var service = await HttpReceiver.StartAsync();
        service.Answer = (request, context) =>
            context.Response.WriteAsync($$"""{"success":{{(request.Body.Contains("response=right", StringComparison.Ordinal) ? "true" : "false")}}}""");
        await using var host = await HostInstance.StartAsync(new(fixture.Settings)
        {
            ["Captcha:VerifyUrl"] = new Uri(service.Address, "siteverify").ToString(),
            ["Captcha:Secret"] = "s3cret",
            ["Captcha:Timeout"] = "00:00:30",
        });
        var client = new AuthClient(host.Api);
        var email = await client.RegisterAsync();
        for (var i = 0; i < 3; i++)
        {
            (await LogInAsync("wrong password")).Code.ShouldBe("invalid_credentials");
        }

        for (var i = 0; i < 5; i++)
        {
            (await LogInAsync(AuthClient.Password)).Code.ShouldBe("captcha_required");
            (await LogInAsync(AuthClient.Password, "wrong")).Code.ShouldBe("captcha_required");
        }

        var asked = host.Logs.WithEvent(3100).Where(entry => Equals(entry.Values["Action"], "login.captcha_required")).ToList();
        asked.Select(entry => entry.Values["Detail"]).ShouldBe(Enumerable.Range(0, 10).Select(i => (object)(i % 2 == 0 ? "no answer was sent" : "the answer was not taken")));
        asked.ShouldAllBe(entry => entry.Values["UserId"] == null && entry.Values["Address"] != null);
        const string rows = "SELECT count(*) FROM audit_events WHERE action = 'login.captcha_required' AND NOT succeeded AND user_id IS NULL AND address IS NOT NULL";
        await Eventually.TrueAsync(async () => await fixture.Database.ScalarAsync<long>(rows) == 10, TimeSpan.FromSeconds(60));

        // Of five tries three are used: both others are still there.
        (await LogInAsync("wrong password", "right")).Code.ShouldBe("invalid_credentials");
        using var form = new FormUrlEncodedContent([new("email", email), new("password", AuthClient.Password)]);
        using var page = await host.Management.PostAsync(new Uri("/admin/sign-in", UriKind.Relative), form);
        page.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await page.Content.ReadAsStringAsync()).ShouldContain("not an administrator");
        (await LogInAsync(AuthClient.Password)).Status.ShouldBe(HttpStatusCode.OK, "the right password at the pages has cleared the count");

        Task<Reply> LogInAsync(string password, string? captcha = null) => client.PostAsync("/api/auth/login", new { email, password, captcha });
    }

    [Fact]
    public async Task AdministrationPages_HaveALimitOfTheirOwn()
    {
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["Storage:RateLimits:admin-login:Permits"] = "2", ["Storage:RateLimits:admin-login:Period"] = "01:00:00", ["Storage:Redis:KeyPrefix"] = "admin-limit:" });
        for (var i = 0; i < 3; i++)
        {
            using var form = new FormUrlEncodedContent([new("email", AuthClient.NewAddress()), new("password", "wrong password")]);
            using var page = await host.Management.PostAsync(new Uri("/admin/sign-in", UriKind.Relative), form);
            page.StatusCode.ShouldBe(i < 2 ? HttpStatusCode.Unauthorized : HttpStatusCode.TooManyRequests);
        }
    }
}
