using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Cluster;

/// <summary>Three primaries with a replica each, and one primary that goes.</summary>
public sealed class ClusterFailoverTests : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private RedisCluster cluster = null!;
    private StoreHarness harness = null!;

    // For what must succeed while nobody is away.
    private StoreHarness patient = null!;

    public async Task InitializeAsync()
    {
        cluster = await RedisCluster.StartAsync(replicas: 1, losesNodes: false);
        harness = new StoreHarness(new RedisOptions { Url = cluster.Url, Deadline = TimeSpan.FromSeconds(3) });
        patient = new StoreHarness(cluster.Url);
    }

    public async Task DisposeAsync()
    {
        await harness.DisposeAsync();
        await patient.DisposeAsync();
        await cluster.DisposeAsync();
    }

    [Fact]
    public async Task PlannedFailover_LosesNothing_AndRevivesNothing()
    {
        var (live, ended) = await PopulateAsync();

        // Asked again when it came to nothing: it is given up after five seconds, which a busy machine may need.
        for (var attempt = 1; await RedisCluster.RoleAsync(cluster.Replicas[0]) != "master"; attempt++)
        {
            attempt.ShouldBeLessThan(5);
            await cluster.Replicas[0].ExecuteAsync("CLUSTER", "FAILOVER");
            try
            {
                await Eventually.TrueAsync(async () => await RedisCluster.RoleAsync(cluster.Replicas[0]) == "master", TimeSpan.FromSeconds(15));
            }
            catch (TimeoutException)
            {
            }
        }

        await ShouldBeAsync(live, ended);
        // The new primary has said so to itself first; the old one follows when its word comes.
        await Eventually.TrueAsync(async () => await RedisCluster.RoleAsync(cluster.Primaries[0]) == "slave", Patience);
        (await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => patient.LogInAsync(StoreHarness.NewUserId())))).Length.ShouldBe(30);
    }

    [Fact]
    public async Task KilledPrimary_IsFollowedToItsReplica_AndWhatHadReachedThatStaysRevoked()
    {
        var (live, ended) = await PopulateAsync();
        await cluster.LoseNodesAsync();

        await cluster.Primaries[1].KillAsync();

        await ShouldBeAsync(live, ended);
        await Eventually.TrueAsync(async () => await RedisCluster.RoleAsync(cluster.Replicas[1]) == "master", Patience);
        await cluster.Primaries[1].RestartAsync();
        await Eventually.TrueAsync(async () => await RedisCluster.RoleAsync(cluster.Primaries[1]) == "slave", Patience);
        await ShouldBeAsync(live, ended);
    }

    [Fact]
    public async Task FrozenPrimary_IsLeft_AlthoughItsConnectionStaysOpen()
    {
        var (live, ended) = await PopulateAsync();
        await cluster.LoseNodesAsync();

        await cluster.Primaries[2].PauseAsync();

        await ShouldBeAsync(live, ended);
        await cluster.Primaries[2].ResumeAsync();
    }

    // Denying for a while is all that may happen; never a wrong answer.
    private async Task ShouldBeAsync(IReadOnlyList<IssuedSession> live, IReadOnlyList<IssuedSession> ended)
    {
        foreach (var (issued, valid) in live.Select(issued => (issued, true)).Concat(ended.Select(issued => (issued, false))))
        {
            bool? answer = null;
            await Eventually.TrueAsync(
                async () =>
                {
                    try
                    {
                        answer = (await harness.ValidateAsync(issued)).IsValid;
                        return true;
                    }
                    catch (StorageUnavailableException)
                    {
                        return false;
                    }
                },
                Patience);
            answer.ShouldBe(valid, "the first answer counts");
        }
    }

    /// <summary>Returns when all of it has reached the replicas too: on a busy machine any primary may be lost later.</summary>
    private async Task<(List<IssuedSession> Live, List<IssuedSession> Ended)> PopulateAsync()
    {
        await Eventually.TrueAsync(() => harness.Connection.ConnectAsync(None), Patience);
        await Eventually.TrueAsync(() => patient.Connection.ConnectAsync(None), Patience);
        var (live, ended) = (new List<IssuedSession>(), new List<IssuedSession>());
        for (var i = 0; i < 40; i++)
        {
            var issued = await patient.LogInAsync(StoreHarness.NewUserId());
            (i % 2 == 0 ? live : ended).Add(issued);
        }

        foreach (var issued in ended)
        {
            await patient.Store.RevokeAsync(issued.Session.UserId, issued.Token.Id, None);
        }

        foreach (var (primary, replica) in cluster.Primaries.Zip(cluster.Replicas))
        {
            await primary.ReplicatedToAsync(replica);
        }

        return (live, ended);
    }
}
