using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.FeatureTests.Admin;

[Collection(FeatureCollection.Name)]
public sealed class AdminTests(FeatureHost host)
{
    [Theory]
    [InlineData("GET", "users")]
    [InlineData("GET", "audit")]
    [InlineData("POST", "users/{id}/disable")]
    [InlineData("DELETE", "users/{id}/sessions")]
    [InlineData("PUT", "users/{id}/admin")]
    public async Task Everything_IsRefused_ToOthers(string method, string path)
    {
        var victim = await host.AccountAsync();
        path = $"/api/auth/admin/{path.Replace("{id}", victim.Key, StringComparison.Ordinal)}";

        (await host.Client().SendAsync(new HttpMethod(method), path)).Status.ShouldBe(401);
        (await (await host.SignedInAsync(await host.AccountAsync())).SendAsync(new HttpMethod(method), path)).Status.ShouldBe(403);
        (await host.FindAsync(victim))!.DisabledAt.ShouldBeNull();
    }

    [Fact]
    public async Task Users_AreFoundByAddressOrId_InPages()
    {
        var admin = await AdminAsync();
        var user = await host.AccountAsync();
        await host.AccountAsync();

        (await Ids($"query={user.Email[..12]}")).ShouldContain(user.Key);
        (await Ids($"query={user.Key}")).ShouldBe([user.Key]);
        (await Ids("query=nobody-has-this")).ShouldBeEmpty();

        var found = new List<string>();
        string? next = null;
        do
        {
            var page = (await admin.GetAsync($"/api/auth/admin/users?limit=2{(next is null ? "" : $"&after={Uri.EscapeDataString(next)}")}")).Json;
            found.AddRange(page.GetProperty("users").EnumerateArray().Select(u => u.GetProperty("id").GetString()!));
            next = page.GetProperty("next").GetString();
        }
        while (next is not null);
        found.ShouldContain(user.Key);
        found.ShouldBeUnique();
        found.Count.ShouldBe((int)await host.Database.ScalarAsync<long>("SELECT count(*) FROM users"));

        async Task<IReadOnlyList<string>> Ids(string query) =>
            [.. (await admin.GetAsync($"/api/auth/admin/users?{query}")).Json.GetProperty("users").EnumerateArray().Select(u => u.GetProperty("id").GetString()!)];
    }

    [Fact]
    public async Task Disable_EndsEverySessionAtOnce_AndKeepsTheUserOut_UntilEnabled()
    {
        var admin = await AdminAsync();
        var user = await host.AccountAsync();
        var (first, second) = (await host.SignedInAsync(user), await host.SignedInAsync(user));

        (await admin.PostAsync($"/api/auth/admin/users/{user.Key}/disable")).Status.ShouldBe(204);

        (await first.GetAsync("/api/auth/verify")).Status.ShouldBe(401);
        (await second.GetAsync("/api/auth/profile")).Status.ShouldBe(401);
        (await LogInAsync(user)).Code.ShouldBe("account_disabled");
        (await admin.PostAsync($"/api/auth/admin/users/{user.Key}/enable")).Status.ShouldBe(204);
        (await LogInAsync(user)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Sessions_AndTokens_AreShownWithoutSecrets_AndEnded()
    {
        var admin = await AdminAsync();
        var user = await host.AccountAsync();
        var signedIn = await LogInAsync(user);
        var client = new ApiClient(host.Address) { Token = signedIn.Json.GetProperty("sessionToken").GetString() };
        var other = await host.SignedInAsync(user);

        var shown = await admin.GetAsync($"/api/auth/admin/users/{user.Key}");
        shown.Json.GetProperty("sessions").GetArrayLength().ShouldBe(2);
        var token = shown.Json.GetProperty("refreshTokens")[0].GetProperty("id").GetString();
        shown.Text.ShouldNotContain(client.Token!.Split('.')[1]);
        shown.Text.ShouldNotContain(signedIn.Json.GetProperty("refreshToken").GetString()!);

        (await admin.DeleteAsync($"/api/auth/admin/users/{user.Key}/tokens/{token}")).Status.ShouldBe(204);
        (await host.Client().PostAsync("/api/auth/refresh", new { refreshToken = signedIn.Json.GetProperty("refreshToken").GetString() })).Status.ShouldBe(401);
        (await admin.DeleteAsync($"/api/auth/admin/users/{user.Key}/sessions/{other.SessionId}")).Status.ShouldBe(204);
        (await other.GetAsync("/api/auth/verify")).Status.ShouldBe(401);
        (await client.GetAsync("/api/auth/verify")).Status.ShouldBe(200);
        (await admin.DeleteAsync($"/api/auth/admin/users/{user.Key}/sessions")).Json.GetProperty("ended").GetInt32().ShouldBe(1);
        (await client.GetAsync("/api/auth/verify")).Status.ShouldBe(401);
        (await admin.DeleteAsync($"/api/auth/admin/users/{Guid.NewGuid():D}/sessions")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task Role_IsGivenAndTaken_EndsTheSessionsThatDoNotHaveIt_ButNeverOnesOwn()
    {
        var adminUser = await host.AccountAsync(roles: [Roles.Admin]);
        var admin = await host.SignedInAsync(adminUser);
        var user = await host.AccountAsync();
        var client = await host.SignedInAsync(user);

        (await admin.PutAsync($"/api/auth/admin/users/{user.Key}/admin")).Status.ShouldBe(204);
        (await client.GetAsync("/api/auth/verify")).Status.ShouldBe(401);
        client = await host.SignedInAsync((await host.FindAsync(user))!);
        (await client.GetAsync("/api/auth/admin/users")).Status.ShouldBe(200);

        (await admin.DeleteAsync($"/api/auth/admin/users/{user.Key}/admin")).Status.ShouldBe(204);
        (await client.GetAsync("/api/auth/admin/users")).Status.ShouldBe(401);
        (await admin.DeleteAsync($"/api/auth/admin/users/{adminUser.Key}/admin")).Code.ShouldBe("own_account");
        (await admin.PostAsync($"/api/auth/admin/users/{adminUser.Key}/disable")).Code.ShouldBe("own_account");
    }

    [Fact]
    public async Task Unlock_EndsTheSecondFactorsLockToo()
    {
        const string Key = "GEZDGNBVGY3TQOJQ";
        var user = await host.AccountAsync();
        await host.Database.ExecuteAsync($"UPDATE users SET two_factor_enabled = true, authenticator_key = '{Key}' WHERE id = $1", user.Id);
        await Maintenance.Testing.Eventually.TrueAsync(
            async () =>
            {
                var asked = await LogInAsync(user);
                return asked.Status == 429 || (await FinishAsync(asked, "000000")).Status == 429;
            },
            TimeSpan.FromMinutes(3));

        (await (await AdminAsync()).PostAsync($"/api/auth/admin/users/{user.Key}/unlock")).Status.ShouldBe(204);

        (await FinishAsync(await LogInAsync(user), Maintenance.WebHost.TwoFactor.Totp.Code(Key, TimeProvider.System.GetUtcNow()))).Status.ShouldBe(200);

        Task<Answer> FinishAsync(Answer asked, string code) =>
            host.Client().PostAsync("/api/auth/login/2fa", new { challengeId = asked.Json.GetProperty("challengeId").GetString(), code });
    }

    [Fact]
    public async Task Audit_HasWhoDidWhatToWhom_NewestFirst_InPages()
    {
        var adminUser = await host.AccountAsync(roles: [Roles.Admin]);
        var admin = await host.SignedInAsync(adminUser);
        var user = await host.AccountAsync();
        (await admin.PostAsync($"/api/auth/admin/users/{user.Key}/disable")).Status.ShouldBe(204);
        (await admin.PostAsync($"/api/auth/admin/users/{user.Key}/enable")).Status.ShouldBe(204);
        (await admin.PostAsync($"/api/auth/admin/users/{user.Key}/unlock")).Status.ShouldBe(204);

        await Maintenance.Testing.Eventually.SucceedsAsync(async () =>
        {
            var first = (await admin.GetAsync($"/api/auth/admin/audit?userId={user.Key}&limit=2")).Json;
            var rest = (await admin.GetAsync($"/api/auth/admin/audit?userId={user.Key}&limit=2&before={first.GetProperty("next").GetInt64()}")).Json;
            var events = first.GetProperty("events").EnumerateArray().Concat(rest.GetProperty("events").EnumerateArray()).ToList();
            events.Select(e => e.GetProperty("action").GetString()).ShouldBe(["admin.unlocked", "account.enabled", "account.disabled"]);
            events.ShouldAllBe(e => e.GetProperty("actorId").GetString() == adminUser.Key);
            rest.GetProperty("next").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
        });
    }

    [Fact]
    public async Task CreateAdmin_MakesAnAccountAnAdministrator_AndSaysWhenItCannot()
    {
        var user = await host.AccountAsync();

        (await host.RunAsync("create-admin", user.Email)).ShouldBe(0);
        (await host.FindAsync(user))!.Roles.Select(role => role.Role).ShouldBe([Roles.Admin]);
        (await host.RunAsync("create-admin", user.Email)).ShouldBe(0);
        (await host.RunAsync("create-admin", "nobody@example.org")).ShouldBe(1);
        (await host.RunAsync("create-admin")).ShouldBe(2);
    }

    [Fact]
    public async Task CreateAdmin_RefusesAnAddressThatNobodyProved_UnlessTold()
    {
        var user = await host.AccountAsync(verified: false);

        (await host.RunAsync("create-admin", user.Email)).ShouldBe(1);
        (await host.FindAsync(user))!.Roles.ShouldBeEmpty();
        (await (await AdminAsync()).PutAsync($"/api/auth/admin/users/{user.Key}/admin")).Code.ShouldBe("email_not_verified");
        (await host.RunAsync("create-admin", user.Email, "--unverified")).ShouldBe(0);
        (await host.FindAsync(user))!.Roles.Select(role => role.Role).ShouldBe([Roles.Admin]);
    }

    [Fact]
    public async Task RoleThatIsGoneAlready_StillEndsTheSessions_WhenItIsTakenAgain()
    {
        var user = await host.AccountAsync();
        var left = await host.SignedInAsync(user);

        (await (await AdminAsync()).DeleteAsync($"/api/auth/admin/users/{user.Key}/admin")).Status.ShouldBe(204);

        (await left.GetAsync("/api/auth/profile")).Status.ShouldBe(401);
    }

    [Fact]
    public async Task LogInUnderWay_DoesNotKeepARoleThatWasTaken()
    {
        var user = await host.AccountAsync(roles: [Roles.Admin]);
        await using var scope = host.Services.CreateAsyncScope();
        var read = (await scope.ServiceProvider.GetRequiredService<UserManager<User>>().FindByIdAsync(user.Key))!;

        (await (await AdminAsync()).DeleteAsync($"/api/auth/admin/users/{user.Key}/admin")).Status.ShouldBe(204);

        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
        (await scope.ServiceProvider.GetRequiredService<SessionIssuer>().IssueAsync(context, read, null, mark: null, default)).ShouldBeNull();
        (await host.SessionStore.ListAsync(user.Key, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Change_NeedsARecentProof_WhichAReadDoesNot()
    {
        var (adminUser, user) = (await host.AccountAsync(roles: [Roles.Admin]), await host.AccountAsync());
        var admin = await host.RefreshedAsync(adminUser);
        var path = $"/api/auth/admin/users/{user.Key}/disable";

        (await admin.GetAsync($"/api/auth/admin/users/{user.Key}")).Status.ShouldBe(200);
        (await admin.PostAsync(path)).Code.ShouldBe("reauthentication_required");
        (await host.FindAsync(user))!.DisabledAt.ShouldBeNull();
        var proved = await admin.PostAsync("/api/auth/reauthenticate", new { password = FeatureHost.Password });
        proved.Status.ShouldBe(200, proved.Text);
        admin.Token = proved.Json.GetProperty("sessionToken").GetString();
        (await admin.PostAsync(path)).Status.ShouldBe(204);
    }

    [Fact]
    public void EveryChange_AsksForARecentProof()
    {
        var changes = host.Services.GetRequiredService<IEnumerable<Microsoft.AspNetCore.Routing.EndpointDataSource>>()
            .SelectMany(source => source.Endpoints)
            .OfType<Microsoft.AspNetCore.Routing.RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.Contains("/admin/users/{id}", StringComparison.Ordinal)
                && endpoint.Metadata.GetMetadata<Microsoft.AspNetCore.Routing.HttpMethodMetadata>()!.HttpMethods is not ["GET"])
            .ToList();

        // The API's and the pages'.
        changes.Count.ShouldBeGreaterThanOrEqualTo(13);
        changes.Where(endpoint => endpoint.Metadata.GetMetadata<Maintenance.WebHost.StepUp.RecentAuthenticationMetadata>() is null)
            .Select(endpoint => endpoint.RoutePattern.RawText).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("users?query=%00")]
    [InlineData("users?after=a%00")]
    [InlineData("audit?userId=%00")]
    [InlineData("audit?action=%00")]
    public async Task Search_ForWhatNoTextCanHold_Is400(string path) =>
        (await (await AdminAsync()).GetAsync($"/api/auth/admin/{path}")).Status.ShouldBe(400);

    private async Task<ApiClient> AdminAsync() => await host.SignedInAsync(await host.AccountAsync(roles: [Roles.Admin]));

    private Task<Answer> LogInAsync(User user) => host.Client().PostAsync("/api/auth/login", new { email = user.Email, password = FeatureHost.Password });
}
