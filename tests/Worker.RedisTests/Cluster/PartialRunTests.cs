using System.Text;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Maintenance.Worker.IndexReconciliation;
using Maintenance.Worker.KeyspaceStats;
using Maintenance.Worker.RedisTests.ForeignLayouts;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Cluster;

/// <summary>A cluster that goes on serving the rest while one of its primaries is away.</summary>
public sealed class PartialRunTests : IAsyncLifetime
{
    private RedisCluster cluster = null!;
    private SweepHarness sweep = null!;

    public async Task InitializeAsync()
    {
        cluster = await RedisCluster.StartAsync(options: new RedisServerOptions { ConfigurationLines = ["cluster-require-full-coverage no"] }, losesNodes: false);
        sweep = new SweepHarness(cluster.Nodes[0]);
    }

    public async Task DisposeAsync()
    {
        await sweep.DisposeAsync();
        await cluster.DisposeAsync();
    }

    [Fact]
    public async Task Run_MendsTheOthersAndSaysWhichIsMissing_WhileOnePrimaryIsAway()
    {
        var lost = new List<(IssuedSession Session, RedisServer Owner)>();
        foreach (var sessions in await sweep.PopulateAsync(60))
        {
            await cluster.ExecuteAsync("DEL", sweep.Index(sessions[0]));
            lost.Add((sessions[0], await cluster.OwnerAsync(sweep.Index(sessions[0]))));
        }

        var away = cluster.Primaries[2];
        await LoseAsync(away, sweep.Connection);

        var result = await JobHarness.RunAsync(sweep.Reconciliation);

        result.Outcome.ShouldBe(JobOutcome.Failed);
        result.Errors.ShouldHaveSingleItem().ShouldContain(away.Endpoint);
        result.Counts["primaries_failed"].ShouldBe(1);
        result.Counts["indexes_rebuilt"].ShouldBe(lost.Count(each => each.Owner != away));
        result.ReadSnapshot<IndexReconciliationSnapshot>()!.ServerRunId!.Split(',').Length.ShouldBe(2);
        await sweep.ShouldAgreeAsync(cluster.Primaries[0]);
        await sweep.ShouldAgreeAsync(cluster.Primaries[1]);

        var stats = new KeyspaceStatsJob(sweep.Connection, sweep.Keys, JobHarness.Monitor(new KeyspaceStatsOptions()), sweep.Metrics, TimeProvider.System);
        var counted = await JobHarness.RunAsync(stats);
        counted.Outcome.ShouldBe(JobOutcome.Failed);
        counted.Snapshot.ShouldBeNull("a part of the keys would look like a store that has shrunk");
    }

    /// <summary>Every session on the node that is away would seem to be gone.</summary>
    [Fact]
    public async Task StoreOfAnotherProgram_IsNotCompared_WhileOnePrimaryIsAway()
    {
        // Who has what is asked while all are there.
        var owners = new Dictionary<string, RedisServer>(StringComparer.Ordinal);
        var program = new ExpressProgram(async words =>
        {
            var key = Encoding.UTF8.GetString(words[1]);
            var owner = owners[key] = owners.GetValueOrDefault(key) ?? await cluster.OwnerAsync(key);
            return await owner.ExecuteRawAsync(words);
        });
        await using var harness = new ForeignHarness(cluster.Nodes[0], program);
        var sessions = new List<(string User, string Session)>();
        for (var user = 0; user < 20; user++)
        {
            sessions.Add(($"u{user}", await program.LogInAsync($"u{user}")));
        }

        // While all are there it finds nothing; and it is connected.
        (await harness.RunAsync()).Found.Sessions.ShouldBe(20);
        var away = cluster.Primaries[2];
        await LoseAsync(away, harness.Connection);
        (await harness.FailAsync()).ShouldHaveSingleItem().ShouldContain(away.Endpoint);
        (await harness.FailAsync()).ShouldHaveSingleItem().ShouldContain(away.Endpoint);

        foreach (var (user, session) in sessions)
        {
            if (owners[program.IndexKey(user)] != away)
            {
                (await program.IsListedAsync(user, session)).ShouldBeTrue();
            }
        }
    }
    // Returns when the client has noticed: until then it may ask that node which nodes there are, and the run would end before it began.
    private static async Task LoseAsync(RedisServer node, RedisConnection connection)
    {
        await node.KillAsync();
        await Eventually.TrueAsync(async () => !await connection.CallAsync(
            database => Task.FromResult(database.Multiplexer.GetServer(node.Endpoint).IsConnected), CancellationToken.None));
    }
}
