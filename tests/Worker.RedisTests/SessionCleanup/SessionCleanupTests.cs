using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Worker.RedisTests.SessionCleanup;

/// <summary>What a run removes and mends, and what it leaves alone.</summary>
[Collection(SessionCleanupCollection.Name)]
public sealed class SessionCleanupTests(RedisFixture redis) : SessionCleanupTestBase(redis)
{
    [Fact]
    public async Task Run_DropsExpiredMembersAndMendsTheScoresOfLivingOnes()
    {
        var users = await Sweep.PopulateAsync(2000);
        foreach (var sessions in users[..50])
        {
            await Server.ExecuteAsync("ZADD", Sweep.Index(sessions[0]), "1000", new string('x', 22), "1000", sessions[0].Token.Id.Value);
        }

        var report = await Sweep.CleanAsync();

        report.Count("expired_members_removed").ShouldBe(50);
        report.Count("scores_mended").ShouldBe(50);
        report.Count("keys_scanned").ShouldBeGreaterThanOrEqualTo(9000);
        await Sweep.ShouldAgreeAsync();
        var second = await Sweep.CleanAsync();
        (second.Count("expired_members_removed"), second.Count("scores_mended"), second.Count("ttl_missing")).ShouldBe((0, 0, 0));
    }

    [Fact]
    public async Task Run_TakesAddressAndUserAgentOutOfIdleSessions_WhenTheirTimeIsOver()
    {
        var options = new SessionOptions { ClientDetailsLife = TimeSpan.FromMilliseconds(1) };
        await using var strict = new SweepHarness(Server, options);
        var session = await strict.LogInAsync(SweepHarness.NewUserId());
        (await Server.StringAsync("GET", Sweep.Record(session)))!.ShouldContain("Mozilla");

        await Eventually.TrueAsync(async () => (await strict.CleanAsync(dryRun: true)).Count("client_details_removed") == 1);
        (await strict.CleanAsync()).Count("client_details_removed").ShouldBe(1);

        (await Server.StringAsync("GET", Sweep.Record(session)))!.ShouldNotContain("Mozilla");
        (await strict.IsValidAsync(session)).ShouldBeTrue();
        (await strict.CleanAsync()).Count("client_details_removed").ShouldBe(0);
    }

    [Fact]
    public async Task DryRun_SaysWhatItWouldDoAndChangesNothing()
    {
        var session = await Sweep.LogInAsync(SweepHarness.NewUserId());
        await Server.ExecuteManyAsync(Enumerable.Range(0, 450).Select(number => new[] { "ZADD", Sweep.Index(session), "1000", $"{number:D22}" }));
        await PersistAsync(Sweep.Record(session));
        var before = await Sweep.DumpAsync();

        var report = await Sweep.CleanAsync(dryRun: true);

        report.Count("expired_members_removed").ShouldBe(450);
        report.Count("ttl_repaired").ShouldBe(1);
        (await Sweep.DumpAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task Run_LeavesForeignKeysAndUnknownVersionsAlone()
    {
        var session = await Sweep.LogInAsync(SweepHarness.NewUserId());
        await Server.ExecuteAsync("SETRANGE", Sweep.Record(session), "0", "\t");
        await PersistAsync(Sweep.Record(session));
        await Server.ExecuteAsync("SET", "session:abc", "no TTL, but not ours");
        await Server.ExecuteAsync("SET", "somebody:else", "1");
        await Server.ExecuteAsync("SET", "user:sessions:{Ab}cdefghijklmnop", "not a sorted set");
        var before = await Sweep.DumpAsync();

        var report = await Sweep.CleanAsync();

        report.Count("foreign_keys").ShouldBe(2);
        report.Count("foreign_values").ShouldBe(1);
        report.Count("unknown_version").ShouldBe(1);
        (await Sweep.DumpAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task Trap10_Run_DropsTheMembersOfAHugeIndexInPages()
    {
        var session = await Sweep.LogInAsync(SweepHarness.NewUserId());
        await Server.ExecuteManyAsync(Enumerable.Range(0, 50_000).Chunk(500).Select(chunk =>
            new[] { "ZADD", Sweep.Index(session) }.Concat(chunk.SelectMany(number => new[] { "1000", $"{number:D22}" })).ToArray()));

        (await Sweep.CleanAsync()).Count("expired_members_removed").ShouldBe(50_000);

        await Sweep.ShouldAgreeAsync();
    }

    [Fact]
    public async Task Run_WorksOnAFullStore()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryPolicy = "noeviction" });
        await using var full = new SweepHarness(server);
        var users = await full.PopulateAsync(200);
        var (damaged, living) = (users[3][0], users[7][0]);
        await server.ExecuteManyAsync(Enumerable.Range(0, 1000).Select(number => new[] { "ZADD", full.Index(damaged), "1000", $"{number:D22}" }));
        await server.ExecuteManyAsync(Enumerable.Range(0, 300).Select(number => new[] { "ZADD", full.Index(living), "1000", $"{number:D22}" }));
        await server.ExecuteAsync("ZADD", full.Index(living), "500", living.Token.Id.Value);
        await server.ExecuteAsync("PERSIST", full.Record(damaged));
        await server.ExecuteAsync("DEL", full.Index(users[11][0]));
        await server.ExecuteAsync("DEL", full.Record(users[15][0]));
        await server.ExecuteAsync("CONFIG", "SET", "maxmemory", "1mb");
        (await Should.ThrowAsync<Exception>(() => full.LogInAsync(SweepHarness.NewUserId()))).Message.ShouldContain("OOM");

        var report = await full.CleanAsync();

        report.Count("expired_members_removed").ShouldBe(1300);
        report.Count("ttl_repaired").ShouldBe(1);
        (await full.IsValidAsync(damaged)).ShouldBeTrue();

        // The reconciliation removes what is dead and says that it could not put back what is alive.
        var context = SweepHarness.Context();
        await full.Reconciliation.RunAsync(context, CancellationToken.None);
        context.Report.Count("drift_dangling").ShouldBe(1);
        context.Report.Count("repairs_refused").ShouldBeGreaterThanOrEqualTo(4);
        context.Report.Close().Errors.ShouldHaveSingleItem().ShouldContain("full");

        await server.ExecuteAsync("CONFIG", "SET", "maxmemory", "0");
        await full.ReconcileAsync();
        await full.ShouldAgreeAsync();
    }
}
