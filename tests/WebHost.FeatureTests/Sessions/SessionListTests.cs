namespace Maintenance.WebHost.FeatureTests.Sessions;

[Collection(FeatureCollection.Name)]
public sealed class SessionListTests(FeatureHost host)
{
    [Fact]
    public async Task List_ShowsEverySession_AndWhichOneAsks_AndNoToken()
    {
        var user = await host.AccountAsync();
        var telephone = await host.SignedInAsync(user, "telephone");
        var laptop = await host.SignedInAsync(user, "laptop");

        var list = await laptop.GetAsync("/api/auth/sessions");

        var sessions = list.Json.GetProperty("sessions").EnumerateArray().ToList();
        sessions.Select(session => session.GetProperty("device").GetString()).Order().ShouldBe(["laptop", "telephone"]);
        var current = sessions.Single(session => session.GetProperty("current").GetBoolean());
        current.GetProperty("id").GetString().ShouldBe(laptop.SessionId);
        current.GetProperty("address").GetString().ShouldBe("127.0.0.1");
        current.GetProperty("firstSeenAt").GetDateTimeOffset().ShouldBeLessThanOrEqualTo(current.GetProperty("lastSeenAt").GetDateTimeOffset());
        list.Text.ShouldNotContain(laptop.Token!);
        list.Text.ShouldNotContain(telephone.Token!.Split('.')[1]);
    }

    [Fact]
    public async Task End_EndsTheSessionAtOnce_ButNobodyElses()
    {
        var user = await host.AccountAsync();
        var (telephone, laptop) = (await host.SignedInAsync(user), await host.SignedInAsync(user));
        var stranger = await host.SignedInAsync(await host.AccountAsync());

        (await stranger.DeleteAsync($"/api/auth/sessions/{telephone.SessionId}")).Status.ShouldBe(404);
        (await telephone.GetAsync("/api/auth/verify")).Status.ShouldBe(200);

        (await laptop.DeleteAsync($"/api/auth/sessions/{telephone.SessionId}")).Status.ShouldBe(204);
        (await telephone.GetAsync("/api/auth/verify")).Status.ShouldBe(401);
        (await laptop.GetAsync("/api/auth/verify")).Status.ShouldBe(200);
        (await laptop.DeleteAsync($"/api/auth/sessions/{telephone.SessionId}")).Status.ShouldBe(404);
        (await laptop.DeleteAsync("/api/auth/sessions/not-an-id")).Status.ShouldBe(404);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Refresh_IsNoLogIn_WhetherTheSessionTokenCameAlongOrNot(bool along)
    {
        var user = await host.AccountAsync();
        var signedIn = (await host.Client().PostAsync("/api/auth/login", new { email = user.Email, password = FeatureHost.Password, device = "phone" })).Json;
        // What a log-in sends to the analytics it does not wait for.
        var before = new ApiClient(host.Address) { Token = signedIn.GetProperty("sessionToken").GetString() };
        await Maintenance.Testing.Eventually.TrueAsync(async () => (await before.GetAsync("/api/auth/sessions/activity")).Json.GetProperty("totalLogins").GetInt64() == 1);

        var refreshed = await new ApiClient(host.Address) { Token = along ? signedIn.GetProperty("sessionToken").GetString() : null }
            .PostAsync("/api/auth/refresh", new { refreshToken = signedIn.GetProperty("refreshToken").GetString() });
        refreshed.Status.ShouldBe(200, refreshed.Text);

        var client = new ApiClient(host.Address) { Token = refreshed.Json.GetProperty("sessionToken").GetString() };
        var activity = (await client.GetAsync("/api/auth/sessions/activity")).Json;
        activity.GetProperty("totalLogins").GetInt64().ShouldBe(1);
        activity.GetProperty("pastSessions").GetArrayLength().ShouldBe(0, "it is the same sign-in that goes on");
        (await client.GetAsync("/api/auth/sessions")).Json.GetProperty("sessions").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Activity_ShowsWhatASessionDid_AndOfOwnSessionsOnly()
    {
        var user = await host.AccountAsync();
        var client = await host.SignedInAsync(user, "laptop");
        var stranger = await host.SignedInAsync(await host.AccountAsync());
        (await client.PostAsync("/api/auth/2fa/enrol")).Status.ShouldBe(200);

        await Maintenance.Testing.Eventually.SucceedsAsync(async () =>
        {
            var activity = (await client.GetAsync("/api/auth/sessions/activity")).Json;
            activity.GetProperty("activities")[0].GetProperty("action").GetString().ShouldBe("two_factor.enrolled");
            activity.GetProperty("devices")[0].GetProperty("name").GetString().ShouldBe("laptop");
            activity.GetProperty("totalLogins").GetInt64().ShouldBe(1);
        });
        (await stranger.GetAsync($"/api/auth/sessions/activity?sessionId={client.SessionId}")).Status.ShouldBe(404);
    }
}
