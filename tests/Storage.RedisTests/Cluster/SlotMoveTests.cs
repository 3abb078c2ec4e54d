using System.Collections.Concurrent;
using System.Diagnostics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Cluster;

/// <summary>A slot moves key by key: for a while one node has a part of a user's keys and another node the rest.</summary>
[Collection(ClusterCollection.Name)]
public sealed class SlotMoveTests(RedisClusterFixture fixture)
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly (string, string) Hasty = ("Storage:Redis:Deadline", "00:00:03");

    private RedisCluster Cluster => fixture.Cluster;

    [Fact]
    public async Task Validation_IsUnavailable_NeverDenied_WhileRecordAndGenerationAreOnDifferentNodes()
    {
        await using var bed = new RedisAuthBed(Cluster.Nodes[0]);
        await using var hasty = new RedisAuthBed(Cluster.Nodes[0], Hasty);
        var issued = await LogInAsync(bed);
        var move = await BeginAsync(bed, issued);
        await Cluster.MoveKeysAsync(move.Slot, move.To, Record(bed, issued));

        await ShouldBeMovingAsync(() => hasty.Sessions.ValidateAsync(issued.Token.Value, None));

        await Cluster.EndMoveAsync(move.Slot, move.To);
        (await bed.Sessions.ValidateAsync(issued.Token.Value, None)).IsValid.ShouldBeTrue();
    }

    [Fact]
    public async Task Call_IsRepeatedUntilTheSlotHasArrived_WithinItsDeadline()
    {
        await using var bed = new RedisAuthBed(Cluster.Nodes[0], ("Storage:Redis:Deadline", "00:00:30"));
        var issued = await LogInAsync(bed);
        var move = await BeginAsync(bed, issued);
        await Cluster.MoveKeysAsync(move.Slot, move.To, Record(bed, issued));

        var second = bed.Sessions.CreateAsync(new NewSession { UserId = issued.Session.UserId }, None);
        var validation = bed.Sessions.ValidateAsync(issued.Token.Value, None);
        await Task.WhenAny(second, validation, Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System));
        second.IsCompleted.ShouldBeFalse();
        validation.IsCompleted.ShouldBeFalse();
        await Cluster.EndMoveAsync(move.Slot, move.To);

        (await validation).IsValid.ShouldBeTrue();
        (await bed.Sessions.ValidateAsync((await second).Token.Value, None)).IsValid.ShouldBeTrue();
        (await bed.Sessions.ListAsync(issued.Session.UserId, None)).Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LogOut_NeverSaysThatItIsDone_WhileTheRefreshTokenIsOnAnotherNode(bool familyFirst)
    {
        await using var bed = new RedisAuthBed(Cluster.Nodes[0]);
        await using var hasty = new RedisAuthBed(Cluster.Nodes[0], Hasty);
        var issued = await LogInAsync(bed);
        var user = issued.Token.User;
        var refresh = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = issued.Session.UserId, SessionId = issued.Token.Id }, None);
        var move = await BeginAsync(bed, issued);
        var family = (await Cluster.KeysAsync($"{bed.Keys.RefreshFamiliesOf(user)}*")).ShouldHaveSingleItem();
        var all = await Cluster.KeysAsync($"*{user.ToTagged()}*");
        await Cluster.MoveKeysAsync(move.Slot, move.To, familyFirst ? [family] : [.. all.Where(key => key != family)]);

        await ShouldBeMovingAsync(() => hasty.Sessions.RevokeAsync(issued.Session.UserId, issued.Token.Id, None));

        await Cluster.EndMoveAsync(move.Slot, move.To);
        await bed.Sessions.RevokeAsync(issued.Session.UserId, issued.Token.Id, None);
        (await bed.Sessions.ValidateAsync(issued.Token.Value, None)).IsValid.ShouldBeFalse();
        (await bed.Families.RotateAsync(refresh.Token!.Value, None)).Token.ShouldBeNull();
        (await Cluster.KeysAsync($"{bed.Keys.RefreshFamiliesOf(user)}*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Sessions_AreNeitherLostNorRevived_WhileTheirSlotsMoveUnderLoad()
    {
        await using var harness = new StoreHarness(
            StoreHarness.Patient(Cluster.Url), new SessionOptions { RenewalInterval = TimeSpan.Zero });
        var users = Enumerable.Range(0, 12).Select(_ => StoreHarness.NewUserId()).ToArray();
        var slots = new HashSet<int>();
        foreach (var userId in users)
        {
            slots.Add(await Cluster.SlotAsync(harness.IndexKey(userId)));
        }

        using var end = new CancellationTokenSource();
        var wrong = new ConcurrentBag<string>();
        var (live, ended) = (new ConcurrentBag<IssuedSession>(), new ConcurrentBag<IssuedSession>());
        var clients = Enumerable.Range(0, 6).Select(number => Task.Run(() => ClientAsync(number))).ToArray();
        for (var round = 0; round < 3; round++)
        {
            foreach (var slot in slots)
            {
                var owner = await Cluster.OwnerAsync(slot);
                var to = Cluster.Primaries[(Cluster.Primaries.ToList().IndexOf(owner) + 1) % Cluster.Primaries.Count];
                await Cluster.BeginMoveAsync(slot, to);
                foreach (var key in await owner.ListAsync("CLUSTER", "GETKEYSINSLOT", $"{slot}", "1000"))
                {
                    // One at a time: that is when a user's keys are apart.
                    await Cluster.MoveKeysAsync(slot, to, key);
                }

                await Cluster.EndMoveAsync(slot, to);
            }
        }

        await end.CancelAsync();
        await Task.WhenAll(clients);
        wrong.ShouldBeEmpty();
        live.ShouldNotBeEmpty();
        ended.ShouldNotBeEmpty();
        (await Task.WhenAll(live.Select(harness.ValidateAsync))).ShouldAllBe(validation => validation.IsValid);
        (await Task.WhenAll(ended.Select(harness.ValidateAsync))).ShouldAllBe(validation => !validation.IsValid);

        async Task ClientAsync(int number)
        {
            var random = new Random(number);
            var mine = new List<IssuedSession>();
            while (!end.IsCancellationRequested)
            {
                mine.Add(await harness.LogInAsync(users[random.Next(users.Length)]));
                var chosen = mine[random.Next(mine.Count)];
                if (!(await harness.ValidateAsync(chosen)).IsValid)
                {
                    wrong.Add($"{chosen.Token.Id.ToLogString()} was lost");
                }

                if (mine.Count > 3)
                {
                    mine.Remove(chosen);
                    await harness.Store.RevokeAsync(chosen.Session.UserId, chosen.Token.Id, None);
                    if ((await harness.ValidateAsync(chosen)).IsValid)
                    {
                        wrong.Add($"{chosen.Token.Id.ToLogString()} lived on");
                    }

                    ended.Add(chosen);
                }
            }

            mine.ForEach(live.Add);
        }
    }

    // A machine that stands still may use the deadline up before the node has said that the slot moves. Another answer there is not.
    private static async Task ShouldBeMovingAsync(Func<Task> call)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var reason = (await Should.ThrowAsync<StorageUnavailableException>(call)).Reason;
            if (reason is not (UnavailableReason.Deadline or UnavailableReason.Connection or UnavailableReason.Away) || Stopwatch.GetElapsedTime(started).TotalSeconds > 60)
            {
                reason.ShouldBe(UnavailableReason.Moving);
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }

    private static async Task<IssuedSession> LogInAsync(RedisAuthBed bed)
    {
        await Eventually.TrueAsync(() => bed.Get<RedisConnection>().ConnectAsync(None), TimeSpan.FromSeconds(60));
        return await bed.Sessions.CreateAsync(new NewSession { UserId = AuthBed.NewUserId() }, None);
    }

    private static string Record(RedisAuthBed bed, IssuedSession issued) => bed.Keys.Session(issued.Token.User, issued.Token.Id);

    private async Task<(int Slot, RedisServer To)> BeginAsync(RedisAuthBed bed, IssuedSession issued)
    {
        var slot = await Cluster.SlotAsync(Record(bed, issued));
        var from = await Cluster.OwnerAsync(slot);
        var to = Cluster.Primaries.First(node => node != from);
        await Cluster.BeginMoveAsync(slot, to);
        return (slot, to);
    }
}
