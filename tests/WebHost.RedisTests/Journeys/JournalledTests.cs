using System.Net;
using Maintenance.Testing;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.RedisTests.Journeys;

/// <summary>What is only written down while Redis is away is never told as done.</summary>
[Collection(HostGroup.Name)]
public sealed class JournalledTests(HostFixture fixture)
{
    private const string Text = "Written down; it holds everywhere as soon as Redis is back.";

    [Fact]
    public async Task RedisDead_EveryEndOfASession_SaysThatItIsWrittenDown_InApiAndPages_AndHoldsAfterwards()
    {
        await using var redis = await RedisServer.StartAsync(new() { AppendOnly = true });
        var journal = Directory.CreateTempSubdirectory("journal-").FullName;
        await using var host = await HostInstance.StartAsync(new(fixture.Settings)
        {
            ["REDIS_URL"] = redis.Url,
            ["Storage:Outage:Sessions"] = "Memory",
            ["Storage:Outage:ClockTolerance"] = "00:00:00",
            // The disk of a busy machine may take longer than the default's 2 s.
            ["Storage:Outage:JournalDeadline"] = "00:00:30",
            ["Storage:Outage:JournalFile"] = Path.Combine(journal, "journal"),
            ["Storage:RateLimits:login-account:Permits"] = "1000",
            ["Admin:RequireSecondFactor"] = "false",
        });
        var client = new AuthClient(host.Api);
        var (adminEmail, email) = (await client.RegisterAsync(), await client.RegisterAsync());
        var id = await MakeAsync(host, adminEmail, email);
        var (own, other) = (await client.LoginAsync(email), await client.LoginAsync(email));
        var listed = (await client.GetAsync("/api/auth/sessions", own.Session)).Json.GetProperty("sessions").EnumerateArray()
            .ToDictionary(session => session.GetProperty("current").GetBoolean(), session => session.GetProperty("id").GetString()!);
        await redis.KillAsync();
        string admin = "", user = "";
        await Eventually.SucceedsAsync(
            async () =>
            {
                admin = Token(await client.TryLoginAsync(adminEmail));
                user = Token(await client.TryLoginAsync(email));
            },
            TimeSpan.FromSeconds(60));

        await WrittenDownAsync(client.SendAsync(HttpMethod.Delete, $"/api/auth/sessions/{listed[false]}", token: user));
        var changed = await client.SendAsync(HttpMethod.Put, "/api/auth/profile/password", new { currentPassword = AuthClient.Password, newPassword = "another good password" }, user);
        changed.Status.ShouldBe(HttpStatusCode.Accepted, changed.Text);
        (await client.VerifyAsync(Token(changed, HttpStatusCode.Accepted))).ShouldBe(HttpStatusCode.OK);
        await WrittenDownAsync(client.SendAsync(HttpMethod.Delete, $"/api/auth/admin/users/{id}/sessions/{listed[true]}", token: admin));
        (await client.SendAsync(HttpMethod.Delete, $"/api/auth/admin/users/{id}/sessions", token: admin)).Status.ShouldBe(HttpStatusCode.Accepted);
        await WrittenDownAsync(client.SendAsync(HttpMethod.Delete, $"/api/auth/admin/users/{id}/admin", token: admin));
        await WrittenDownAsync(client.PostAsync($"/api/auth/admin/users/{id}/disable", token: admin));
        foreach (var button in (string[])[$"sessions/{listed[true]}/end", "sessions/end", "disable"])
        {
            (await PressAsync(host, $"/admin/users/{id}/{button}", admin)).ShouldBe($"/admin/users/{id}?notice=journalled", button);
        }

        WebHost.Admin.Pages.Notices.Read("journalled")!.Text.ShouldBe(Text);
        await redis.RestartAsync();
        await Eventually.TrueAsync(async () => await client.VerifyAsync(own.Session) == HttpStatusCode.Unauthorized, TimeSpan.FromSeconds(60));
        (await client.VerifyAsync(other.Session)).ShouldBe(HttpStatusCode.Unauthorized);
    }

    private static string Token(Reply login, HttpStatusCode status = HttpStatusCode.OK)
    {
        login.Status.ShouldBe(status, login.Text);
        return login.Json.GetProperty("sessionToken").GetString()!;
    }

    private static async Task WrittenDownAsync(Task<Reply> sent)
    {
        var reply = await sent;
        reply.Status.ShouldBe(HttpStatusCode.Accepted, reply.Text);
        reply.Json.GetProperty("message").GetString().ShouldBe(Text);
    }

    private static async Task<string?> PressAsync(HostInstance host, string path, string session)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = host.Management.BaseAddress, Timeout = TimeSpan.FromSeconds(60) };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent([new("form", SessionCookies.AntiforgeryTokenOf(session))]) };
        request.Headers.Add("Cookie", $"{SessionCookieOptions.Session}={session}");
        using var response = await http.SendAsync(request);
        return response.Headers.Location?.ToString();
    }

    private static async Task<string> MakeAsync(HostInstance host, string adminEmail, string email)
    {
        using var scope = host.Services.CreateScope();
        using var users = scope.ServiceProvider.GetRequiredService<UserManager<User>>();
        (await users.AddToRoleAsync((await users.FindByEmailAsync(adminEmail))!, Roles.Admin)).Succeeded.ShouldBeTrue();
        return (await users.FindByEmailAsync(email))!.Key;
    }
}
