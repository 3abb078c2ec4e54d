using System.Net;
using Maintenance.Testing;
using Maintenance.WebHost.Audit;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.RedisTests.Journeys;

/// <summary>The audit trail while its database is away: nothing fails for it, nothing is lost from the log, and the rows come afterwards.</summary>
[Collection(HostGroup.Name)]
public sealed class AuditOutageTests(HostFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task DatabaseAway_EventsStandInTheLogAtOnce_AndInTheTableWhenItIsBack_AndNoRequestFailsForThem()
    {
        await using var postgres = await PostgresServer.StartAsync();
        var database = await HostFixture.MigratedDatabaseAsync(postgres);
        await using var host = await HostInstance.StartAsync(new(fixture.Settings) { ["DATABASE_URL"] = database.ConnectionString });
        var client = new AuthClient(host.Api);
        var email = await client.RegisterAsync();
        var sessions = new List<Tokens>();
        for (var i = 0; i < 5; i++)
        {
            sessions.Add(await client.LoginAsync(email));
        }

        await Eventually.TrueAsync(async () => await CountAsync(database, AuditActions.LoggedIn) == 5, Patience);
        await postgres.StopAsync();

        foreach (var session in sessions)
        {
            (await client.PostAsync("/api/auth/logout", token: session.Session)).Status.ShouldBe(HttpStatusCode.NoContent);
        }

        Logged(host, AuditActions.LoggedOut).ShouldBe(5);
        await Eventually.TrueAsync(() => host.Logs.WithEvent(3102).Count > 0, Patience);
        host.Logs.WithEvent(3102).Count.ShouldBe(1, "one line an outage");
        host.Logs.WithEvent(3000).ShouldBeEmpty();

        await postgres.RestartAsync();

        await Eventually.TrueAsync(async () => await CountAsync(database, AuditActions.LoggedOut) == 5, Patience);
        await Eventually.TrueAsync(() => host.Logs.WithEvent(3103).Count == 1, Patience);
    }

    [Fact]
    public async Task HostThatEndsMeanwhile_SaysHowManyRowsAreOnlyInItsLog()
    {
        await using var postgres = await PostgresServer.StartAsync();
        var database = await HostFixture.MigratedDatabaseAsync(postgres);
        var host = await HostInstance.StartAsync(new(fixture.Settings) { ["DATABASE_URL"] = database.ConnectionString });
        var client = new AuthClient(host.Api);
        var session = await client.LoginAsync(await client.RegisterAsync());
        await Eventually.TrueAsync(async () => await CountAsync(database, AuditActions.LoggedIn) == 1, Patience);
        await postgres.StopAsync();
        (await client.PostAsync("/api/auth/logout", token: session.Session)).Status.ShouldBe(HttpStatusCode.NoContent);

        await host.DisposeAsync();

        host.Logs.WithEvent(3105).ShouldHaveSingleItem().Values["Rows"].ShouldBe(1);
    }

    [Fact]
    public async Task Row_ThatTheDatabaseRefuses_CostsNoOther()
    {
        var trail = fixture.Host.Services.GetRequiredService<IAuditTrail>();
        var user = Guid.NewGuid().ToString("D");
        for (var i = 0; i < 9; i++)
        {
            // PostgreSQL keeps no NUL.
            trail.Record(new AuditEvent { Action = AuditActions.StepUp, UserId = user, Detail = i == 4 ? "a\0b" : $"{i}" });
        }

        await Eventually.TrueAsync(async () => await fixture.Database.ScalarAsync<long>("SELECT count(*) FROM audit_events WHERE user_id = $1", user) == 8, Patience);
        fixture.Host.Logs.WithEvent(3104).ShouldHaveSingleItem().Values["Action"].ShouldBe(AuditActions.StepUp);
    }

    private static int Logged(HostInstance host, string action) => host.Logs.WithEvent(3100).Count(entry => Equals(entry.Values["Action"], action));

    private static Task<long> CountAsync(PostgresDatabase database, string action) =>
        database.ScalarAsync<long>("SELECT count(*) FROM audit_events WHERE action = $1 AND succeeded", action);
}
