using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Sessions.Inspection;
using Maintenance.Storage.UserData;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Cluster;

[Collection(ClusterCollection.Name)]
public sealed class ClusterConnectionTests(RedisClusterFixture fixture)
{
    private static readonly CancellationToken None = CancellationToken.None;

    private RedisCluster Cluster => fixture.Cluster;

    [Fact]
    public async Task Connection_SpreadsUsersOverEveryNode_FromSeedsOfWhichOneIsDown()
    {
        await Cluster.FlushAllAsync();
        await using var harness = new StoreHarness(new RedisOptions
        {
            Deadline = StoreHarness.Patience,
            ConnectTimeout = TimeSpan.FromSeconds(2),
            Cluster = new RedisClusterOptions { Endpoints = [$"127.0.0.1:{FreePort.Next()}", Cluster.Nodes[2].Endpoint] },
        });
        // Connected is who has reached one node. That the others take longer than the 2 s is no reason to fail a log-in there for good.
        await Eventually.SucceedsAsync(
            () => Task.WhenAll(Enumerable.Range(0, 60).Select(_ => harness.Store.CountAsync(StoreHarness.NewUserId(), None))), TimeSpan.FromSeconds(60));

        var issued = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => harness.LogInAsync(StoreHarness.NewUserId())));

        (await Task.WhenAll(issued.Select(harness.ValidateAsync))).ShouldAllBe(validation => validation.IsValid);
        foreach (var node in Cluster.Primaries)
        {
            (await node.KeysAsync("session:*")).ShouldNotBeEmpty();
        }
    }

    [Fact]
    public async Task Connection_AsksNoNodeForItsSettings()
    {
        foreach (var node in Cluster.Nodes)
        {
            await node.ExecuteAsync("CONFIG", "RESETSTAT");
        }

        await using var harness = new StoreHarness(Cluster.Url);
        foreach (var primary in await harness.Connection.GetPrimariesAsync(None))
        {
            await primary.Connection.CallAsync(database => database.ExecuteAsync("DBSIZE"), None);
        }

        foreach (var node in Cluster.Nodes)
        {
            (await node.CallsAsync("config|get")).ShouldBe(0, "neither program's user may ask it (deploy/redis/users.acl)");
            (await node.CallsAsync("info")).ShouldBePositive("the client was here");
        }
    }

    [Fact]
    public async Task Primaries_AnswerEachForItself_AndOnlyForItself()
    {
        await Cluster.FlushAllAsync();
        await using var harness = new StoreHarness(Cluster.Url);
        await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => harness.LogInAsync(StoreHarness.NewUserId())));

        var primaries = await harness.Connection.GetPrimariesAsync(None);

        primaries.Select(primary => primary.Node!.Port).Order().ShouldBe(Cluster.Primaries.Select(node => node.Port).Order());
        primaries.Sum(primary => primary.Node!.Slots.Sum(range => range.Count)).ShouldBe(SlotRange.Slots);
        foreach (var primary in primaries)
        {
            var node = Cluster.Nodes.Single(node => node.Port == primary.Node!.Port);
            for (var i = 0; i < 5; i++)
            {
                ((long)await primary.Connection.CallAsync(database => database.ExecuteAsync("DBSIZE"), None)).ShouldBe(await node.IntegerAsync("DBSIZE"));
            }
        }

        (await harness.Connection.GetTopologyAsync(None))!.UnservedSlots.ShouldBe(0);
    }

    [Fact]
    public async Task EraseAndInspect_FindWhatNoIndexNames_OnWhicheverNodeItLies()
    {
        await Cluster.FlushAllAsync();
        await using var bed = new RedisAuthBed(Cluster.Nodes[1]);
        for (var i = 0; i < 12; i++)
        {
            var userId = AuthBed.NewUserId();
            await bed.Sessions.CreateAsync(new NewSession { UserId = userId }, None);
            var user = UserReference.Of(userId);
            await Cluster.ExecuteAsync("DEL", bed.Keys.SessionIndex(user));

            (await bed.Get<UserInspector>().InspectAsync(userId, scan: true, None)).Sessions.ShouldHaveSingleItem().State.ShouldBe(InspectedState.Valid);
            await bed.Get<RedisUserDataStore>().EraseAsync(userId, None);

            (await Cluster.KeysAsync($"*{user.ToTagged()}*")).ShouldBe([bed.Keys.Generation(user)], "only what keeps it from coming back");
        }
    }
}
