using System.Text;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Maintenance.Worker.ForeignLayouts;
using Maintenance.Worker.RedisTests.ForeignLayouts;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Worker.RedisTests.Cluster;

/// <summary>A store of another program on a cluster, where a session and its index are on two nodes as a rule.</summary>
public sealed class ClusterForeignTests(RedisClusterFixture fixture) : IClassFixture<RedisClusterFixture>, IAsyncLifetime
{
    private ExpressProgram program = null!;

    private RedisCluster Cluster => fixture.Cluster;

    public async Task InitializeAsync()
    {
        await Cluster.FlushAllAsync();
        program = new ExpressProgram(SendAsync);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Repair_MendsBothDirections_AcrossNodes()
    {
        await using var harness = new ForeignHarness(Cluster.Nodes[0], program);
        var sessions = new List<(string User, string Session)>();
        for (var user = 0; user < 30; user++)
        {
            sessions.Add(($"u{user}", await program.LogInAsync($"u{user}")));
            sessions.Add(($"u{user}", await program.LogInAsync($"u{user}")));
        }

        for (var user = 0; user < 10; user++)
        {
            await program.EndAsync(sessions[user * 2].User, sessions[user * 2].Session);
            await program.UnlistAsync(sessions[(user * 2) + 40].User, sessions[(user * 2) + 40].Session);
        }

        var (_, found) = await harness.RunAsync();
        var (second, _) = await harness.RunAsync();

        (found.Dangling, found.Missing, found.Sessions, harness.Mended(second)).ShouldBe((10, 10, 50, 20));
        foreach (var (user, session) in sessions)
        {
            (await program.IsListedAsync(user, session)).ShouldBe(await program.LivesAsync(user, session));
        }

        (await harness.RunAsync()).Found.ShouldBe(new ForeignFound(0, 0, 0, 50, 30));
    }

    /// <summary>Two nodes have no script in common; the session changes after the first look and before the last.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Mend_TurnsRoundAgain_WhenTheSessionChangesMeanwhile(bool dangling)
    {
        var session = await SessionElsewhereAsync("ann");
        await (dangling ? program.ListAsync("ann", session) : program.StartAsync("ann", session));
        var calls = 0;
        await using var connection = new RedisConnection(JobHarness.Options(Cluster.Nodes[0]), TimeProvider.System, NullLogger.Instance)
        {
            // Look, script, look: before the last.
            BeforeCall = () => ++calls == 3 ? dangling ? program.StartAsync("ann", session) : program.EndAsync("ann", session) : Task.CompletedTask,
        };
        var repair = new ForeignRepair(connection, new KeySpace("express", program.Options), cluster: true);
        var suspect = new ForeignSuspect(
            dangling ? ForeignDrift.Dangling : ForeignDrift.Missing, session, "ann", Encoding.UTF8.GetBytes(session), double.NaN);

        (await repair.MendAsync(suspect, CancellationToken.None)).ShouldBeFalse();

        calls.ShouldBeGreaterThan(3);
        (await program.IsListedAsync("ann", session)).ShouldBe(dangling);
    }

    private async Task<string> SessionElsewhereAsync(string user)
    {
        var home = await Cluster.OwnerAsync(program.IndexKey(user));
        while (true)
        {
            var session = program.NewSession();
            if (await Cluster.OwnerAsync(program.SessionKey(user, session)) != home)
            {
                return session;
            }
        }
    }

    private async Task<object?> SendAsync(byte[][] words) => await (await Cluster.OwnerAsync(Encoding.UTF8.GetString(words[1]))).ExecuteRawAsync(words);
}
