using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Maintenance.Worker.IndexReconciliation;
using Maintenance.Worker.KeyspaceStats;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Cluster;

public sealed class ClusterSweepTests(RedisClusterFixture fixture) : IClassFixture<RedisClusterFixture>, IAsyncLifetime
{
    private SweepHarness sweep = null!;

    private RedisCluster Cluster => fixture.Cluster;

    public async Task InitializeAsync()
    {
        await Cluster.FlushAllAsync();
        sweep = new SweepHarness(Cluster.Nodes[0]);
    }

    public Task DisposeAsync() => sweep.DisposeAsync().AsTask();

    [Fact]
    public async Task Reconcile_FindsAndMendsEachKindOfDrift_OnEveryPrimary()
    {
        var users = await sweep.PopulateAsync(400);
        var damaged = users.Where(sessions => sessions.Count > 1).GroupBy(sessions => Cluster.OwnerAsync(sweep.Index(sessions[0])).GetAwaiter().GetResult())
            .SelectMany(node => node.Take(8)).ToList();
        damaged.Count.ShouldBe(24);
        foreach (var sessions in damaged.Take(24).Where((_, i) => i % 4 == 0))
        {
            await Cluster.ExecuteAsync("DEL", sweep.Record(sessions[0]));
        }

        foreach (var sessions in damaged.Where((_, i) => i % 4 == 1))
        {
            await Cluster.ExecuteAsync("ZREM", sweep.Index(sessions[0]), sessions[0].Token.Id.Value);
        }

        foreach (var sessions in damaged.Where((_, i) => i % 4 == 2))
        {
            await Cluster.ExecuteAsync("DEL", sweep.Index(sessions[0]));
        }

        foreach (var sessions in damaged.Where((_, i) => i % 4 == 3))
        {
            await Cluster.ExecuteAsync("DEL", sweep.Generation(sessions[0]));
        }

        var first = await sweep.ReconcileAsync();

        first.Count("primaries").ShouldBe(3);
        first.Count("users_seen").ShouldBe(400);
        first.Count("drift_dangling").ShouldBe(6);
        first.Count("drift_missing").ShouldBe(6 + damaged.Where((_, i) => i % 4 == 2).Sum(sessions => sessions.Count));
        first.Count("indexes_rebuilt").ShouldBe(6);
        first.Count("drift_revoked").ShouldBe(damaged.Where((_, i) => i % 4 == 3).Sum(sessions => sessions.Count));
        foreach (var node in Cluster.Primaries)
        {
            await sweep.ShouldAgreeAsync(node);
        }

        (await sweep.ReconcileAsync()).Close().Counts.Keys.ShouldNotContain(name => name.StartsWith("drift_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Reconcile_AddsTheFiguresOfThePrimariesUp_AndNamesEveryServerThatItSwept()
    {
        var users = await sweep.PopulateAsync(100);

        var snapshot = (await JobHarness.RunAsync(sweep.Reconciliation)).ReadSnapshot<IndexReconciliationSnapshot>()!;

        snapshot.Users.ShouldBe(100);
        snapshot.Sessions.ShouldBe(users.Sum(sessions => sessions.Count));
        snapshot.ServerRunId!.Split(',').Distinct().Count().ShouldBe(3);
    }

    [Fact]
    public async Task Reconcile_SaysSo_WhenASlotMovesMeanwhile_AndRepairsNothingWrongly()
    {
        var users = await sweep.PopulateAsync(60);
        var slot = await Cluster.SlotAsync(sweep.Index(users[0][0]));
        var owner = await Cluster.OwnerAsync(slot);
        var moves = 0;
        // While the sweep waits for its first page to be taken.
        var context = SweepHarness.Context(progress: new AtOnce(() =>
        {
            if (moves++ == 0)
            {
                Cluster.MoveSlotAsync(slot, Cluster.Primaries.First(node => node != owner)).GetAwaiter().GetResult();
            }
        }));

        await sweep.Reconciliation.RunAsync(context, CancellationToken.None);

        context.Report.Count("topology_changes").ShouldBe(1);
        context.Report.ErrorCount.ShouldBe(0);
        context.Report.Close().Counts.Keys.ShouldNotContain(name => name.StartsWith("drift_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Clean_GivesBackTheLifeOfKeys_OnEveryPrimary()
    {
        var users = await sweep.PopulateAsync(60);
        foreach (var sessions in users)
        {
            await Cluster.ExecuteAsync("PERSIST", sweep.Record(sessions[0]));
        }

        (await sweep.CleanAsync()).Count("ttl_repaired").ShouldBe(60);

        foreach (var sessions in users)
        {
            ((long)(await Cluster.ExecuteAsync("PTTL", sweep.Record(sessions[0])))!).ShouldBePositive();
        }

        (await sweep.CleanAsync()).Count("ttl_repaired").ShouldBe(0);
    }

    [Fact]
    public async Task KeyspaceStats_CountEachPrimary_AndTheirSum()
    {
        var users = await sweep.PopulateAsync(100);
        var job = new KeyspaceStatsJob(sweep.Connection, sweep.Keys, JobHarness.Monitor(new KeyspaceStatsOptions()), sweep.Metrics, TimeProvider.System);
        var latest = new LatestSnapshot<KeyspaceStatsSnapshot>();
        var metrics = new KeyspaceStatsMetrics(sweep.Meters, latest);

        var snapshot = (await JobHarness.RunAsync(job, metrics)).ReadSnapshot<KeyspaceStatsSnapshot>()!;

        snapshot.UsersActive.ShouldBe(100);
        snapshot.SessionsActive.ShouldBe(users.Sum(sessions => sessions.Count));
        snapshot.Kinds["session"].Bytes.ShouldNotBeNull();
        using var collector = new MetricCollector<double>(sweep.Meters, "maintenance.keyspace.node_keys");
        var measured = collector.Observe().ToDictionary(each => each.Tags["node"]!, each => each.Value);
        foreach (var node in Cluster.Primaries)
        {
            measured[node.Endpoint].ShouldBe(await node.IntegerAsync("DBSIZE"));
        }

        snapshot.Kinds.Values.Sum(kind => kind.Keys).ShouldBe((long)measured.Values.Sum());
    }

    [Fact]
    public async Task Trap6_Sweeps_RepairNothingWronglyAndLoseNothing_WhileSlotsMove()
    {
        var users = await sweep.PopulateAsync(200);
        var slots = new HashSet<int>();
        foreach (var sessions in users)
        {
            slots.Add(await Cluster.SlotAsync(sweep.Index(sessions[0])));
        }

        using var end = new CancellationTokenSource();
        var sweeping = Task.Run(async () =>
        {
            var passes = 0;
            while (!end.IsCancellationRequested || passes == 0)
            {
                // Nothing is damaged: whatever a script confirms now, a key on its way was taken for a lost one.
                (await sweep.ReconcileAsync()).Close().Counts.Keys.ShouldNotContain(name => name.StartsWith("drift_", StringComparison.Ordinal));
                (await sweep.CleanAsync()).Count("ttl_repaired").ShouldBe(0);
                passes++;
            }

            return passes;
        });
        // In order: so a node takes many in a row, and its epoch has to be made known once.
        foreach (var slot in slots.Order())
        {
            var owner = await Cluster.OwnerAsync(slot);
            await Cluster.MoveSlotAsync(slot, Cluster.Primaries.First(node => node != owner));
        }

        await end.CancelAsync();
        (await sweeping).ShouldBePositive();
        foreach (var session in users.SelectMany(sessions => sessions))
        {
            // The client may learn only now where the slots have gone.
            await Eventually.SucceedsAsync(async () => (await sweep.IsValidAsync(session)).ShouldBeTrue());
        }

        await sweep.ReconcileAsync();
        foreach (var node in Cluster.Primaries)
        {
            await sweep.ShouldAgreeAsync(node);
        }
    }

    private sealed class AtOnce(Action act) : IProgress<JobProgress>
    {
        public void Report(JobProgress value) => act();
    }
}
