using Maintenance.Testing;
using Maintenance.WebHost.Admin;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace Maintenance.WebHost.FeatureTests.Admin;

/// <summary>The role of an administrator counts only with a second factor, unless the operator says otherwise.</summary>
[Collection(FeatureCollection.Name)]
public sealed class AdminSecondFactorTests(FeatureHost host)
{
    private const string Users = "/api/auth/admin/users?limit=1";

    [Fact]
    public async Task Role_CountsOnlyWhileTheSecondFactorIsOn_WhichTheAdministratorCanTurnOn()
    {
        await using var strict = await StartAsync();
        var user = await host.AccountAsync(roles: [Roles.Admin]);
        var (admin, stolen) = (await SignedInAsync(strict, user), await SignedInAsync(strict, user));

        var refused = await admin.GetAsync(Users);
        (refused.Status, refused.Code).ShouldBe((403, "second_factor_required"));
        refused.Json.GetProperty("detail").GetString()!.ShouldContain("/api/auth/2fa/enrol");
        (await admin.PostAsync($"/api/auth/admin/users/{Guid.NewGuid():D}/disable")).Code.ShouldBe("second_factor_required");

        var secret = (await admin.PostAsync("/api/auth/2fa/enrol")).Json.GetProperty("secret").GetString()!;
        (await admin.GetAsync(Users)).Code.ShouldBe("second_factor_required", "a key without its first code is no factor");
        (await admin.PostAsync("/api/auth/2fa/confirm", new { code = Totp.Code(secret, TimeProvider.System.GetUtcNow()) })).Status.ShouldBe(200);

        (await admin.GetAsync(Users)).Status.ShouldBe(200);
        (await stolen.GetAsync(Users)).Status.ShouldBe(401, "it began with the password alone");
        (await admin.PostAsync("/api/auth/2fa/disable")).Status.ShouldBe(204);
        (await admin.GetAsync(Users)).Code.ShouldBe("second_factor_required");
        const string refusals = "SELECT count(*) FROM audit_events WHERE user_id = $1 AND NOT succeeded AND action = $2 AND detail = $3";
        await Eventually.TrueAsync(
            async () => await host.Database.ScalarAsync<long>(refusals, user.Key, AuditActions.AdminRefused, AdminRefusal.NoSecondFactor) == 4, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task SecondFactor_OfOthers_EndsNoSession()
    {
        var user = await host.AccountAsync();
        var (client, other) = (await host.SignedInAsync(user), await host.SignedInAsync(user));
        var secret = (await client.PostAsync("/api/auth/2fa/enrol")).Json.GetProperty("secret").GetString()!;

        (await client.PostAsync("/api/auth/2fa/confirm", new { code = Totp.Code(secret, TimeProvider.System.GetUtcNow()) })).Status.ShouldBe(200);

        (await other.GetAsync("/api/auth/verify")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Role_ThatTheDatabaseHasNoMore_IsRefused_WhateverTheSessionSays()
    {
        var user = await host.AccountAsync(roles: [Roles.Admin]);
        var admin = await host.SignedInAsync(user);
        (await admin.GetAsync(Users)).Status.ShouldBe(200);

        await host.Database.ExecuteAsync("DELETE FROM user_roles WHERE user_id = $1", user.Id);

        (await admin.GetAsync(Users)).Status.ShouldBe(403);
    }

    [Fact]
    public async Task Role_CountsWithoutIt_InDevelopment()
    {
        await using var development = await StartAsync("--environment=Development");

        (await (await SignedInAsync(development, await host.AccountAsync(roles: [Roles.Admin]))).GetAsync(Users)).Status.ShouldBe(200);
    }

    private async Task<ApiClient> SignedInAsync(WebApplication app, User user) => new(new Uri(app.Urls.First())) { Token = (await host.SignedInAsync(user)).Token };

    /// <summary>A host without the setting, which is what operators start.</summary>
    private async Task<WebApplication> StartAsync(params string[] more)
    {
        var app = HostSetup.Build(
            [
                .. host.Settings.Where(setting => setting.Key != "Admin:RequireSecondFactor").Select(setting => $"--{setting.Key}={setting.Value}"),
                "--Api:Port=0", "--Management:Port=0", .. more,
            ],
            builder => builder.Logging.ClearProviders());
        await app.StartAsync();
        return app;
    }
}
