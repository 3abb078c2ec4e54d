using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.OutageTests;

/// <summary>Sessions born in memory, when Redis is back.</summary>
public sealed class MoveTests : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly JournalFolder folder = new();
    private RedisServer redis = null!;
    private OutageHost host = null!;
    private OutageHost other = null!;

    public async Task InitializeAsync()
    {
        redis = await RedisServer.StartAsync();
        host = new OutageHost(redis, null, automatic: false, folder.Setting(), ("Storage:Outage:Sessions", "Memory"), ("Storage:Sessions:RecordFormat", "2"));
        other = new OutageHost(redis, null, automatic: false);
        await host.RecoverAsync();
    }

    public async Task DisposeAsync()
    {
        await host.DisposeAsync();
        await other.DisposeAsync();
        await redis.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Session_IsMovedWithTheLifeThatIsLeft_AndGoesOnUnderItsToken()
    {
        await CutOffAsync();
        var born = await host.Sessions.CreateAsync(
            new NewSession
            {
                UserId = "ada", DeviceName = "phone", UserAgent = "agent", IpAddress = System.Net.IPAddress.Parse("10.1.2.3"),
                Claims = new Dictionary<string, string> { ["role"] = "admin" }, SlidingExpiration = TimeSpan.FromMinutes(30), AbsoluteExpiration = TimeSpan.FromHours(2),
            },
            None);

        await host.RecoverAsync();

        host.Get<MemorySessions>().All().ShouldBeEmpty();
        var moved = (await other.Sessions.ValidateAsync(born.Token.Value, None)).Session.ShouldNotBeNull();
        moved.ShouldSatisfyAllConditions(
            () => moved.Id.ShouldBe(born.Token.Id),
            () => moved.DeviceName.ShouldBe("phone"),
            () => moved.UserAgent.ShouldBe("agent"),
            () => moved.IpAddress.ShouldBe(born.Session.IpAddress),
            () => moved.Claims["role"].ShouldBe("admin"),
            () => moved.SlidingExpiration.ShouldBe(TimeSpan.FromMinutes(30)),
            () => (moved.CreatedAt - born.Session.CreatedAt).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(1)),
            () => (moved.AbsoluteExpiresAt - born.Session.AbsoluteExpiresAt).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(1)));
        (await redis.IntegerAsync("PTTL", Key(born))).ShouldBeInRange(1, (long)TimeSpan.FromMinutes(30).TotalMilliseconds);
        (await other.Sessions.ListAsync("ada", None)).ShouldHaveSingleItem().Id.ShouldBe(born.Token.Id);
        (await host.Sessions.RotateAsync(born.Token.Value, new SessionChanges(), None)).Outcome.ShouldBe(RotationOutcome.Rotated);
    }

    [Fact]
    public async Task Session_IsAnsweredFromMemory_UntilItIsMoved()
    {
        await CutOffAsync();
        var born = await host.LogInAsync("ada");
        await host.Get<RedisBreaker>().CloseAsync();
        host.Mode.SetAway(false, "");

        (await host.IsValidAsync(born)).ShouldBeTrue();
        (await host.Sessions.GetAsync("ada", born.Token.Id, None)).ShouldNotBeNull();
        (await host.Sessions.ListAsync("ada", None)).ShouldHaveSingleItem().Id.ShouldBe(born.Token.Id);
        (await host.Sessions.RevokeAsync("ada", born.Token.Id, None)).ShouldBe(Revocation.One);

        await host.RecoverAsync();
        (await host.IsValidAsync(born)).ShouldBeFalse();
        (await redis.IntegerAsync("EXISTS", Key(born))).ShouldBe(0);
    }

    [Fact]
    public async Task Session_BornBeforeAnotherHostsLogOutEverywhere_IsNotMoved()
    {
        await other.LogInAsync("ada");
        await CutOffAsync();
        var born = await host.LogInAsync("ada");
        await OutageHost.PassAsync();
        (await other.Sessions.RevokeAllAsync("ada", null, None)).Outcome.ShouldBe(RevocationOutcome.Done);

        await host.RecoverAsync();

        (await host.IsValidAsync(born)).ShouldBeFalse();
        (await other.IsValidAsync(born)).ShouldBeFalse();
    }

    [Fact]
    public async Task Session_BornBeforeItsUserWasErasedByAnotherHost_IsNotMoved()
    {
        await CutOffAsync();
        var born = await host.LogInAsync("ada");
        await OutageHost.PassAsync();
        await other.Get<UserData.UserDataService>().EraseAsync("ada", None);

        await host.RecoverAsync();

        (await host.IsValidAsync(born)).ShouldBeFalse();
        (await other.IsValidAsync(born)).ShouldBeFalse();
        (await redis.KeysAsync("*session*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Session_ThatAnotherHostHasRevokedThroughItsJournal_IsNotMoved()
    {
        await using var revoking = new OutageHost(redis, null, automatic: false, folder.Setting("revoking"));
        await revoking.RecoverAsync();
        await CutOffAsync();
        var (one, all) = (await host.LogInAsync("ada"), await host.LogInAsync("ben"));
        await OutageHost.PassAsync();
        await revoking.Get<RedisBreaker>().OpenAsync();
        revoking.Mode.SetAway(true, "cut off by the test");
        (await revoking.Sessions.RevokeAsync("ada", one.Token.Id, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);
        (await revoking.Sessions.RevokeAllAsync("ben", null, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);
        await revoking.RecoverAsync();
        // Once more, now in Redis, which knows of the one only by the mark that the replay has left.
        (await revoking.Sessions.RevokeAsync("ada", one.Token.Id, None)).ShouldSatisfyAllConditions(
            again => again.Outcome.ShouldBe(RevocationOutcome.Done), again => again.Ended.ShouldBe(0));
        (await revoking.Sessions.RevokeAllAsync("ben", null, None)).Outcome.ShouldBe(RevocationOutcome.Done);

        await host.RecoverAsync();

        foreach (var issued in (IssuedSession[])[one, all])
        {
            (await host.IsValidAsync(issued)).ShouldBeFalse();
            (await revoking.IsValidAsync(issued)).ShouldBeFalse();
        }
    }

    [Fact]
    public async Task Session_BornAfterThisHostsJournalledLogOutEverywhere_IsMoved_AndOneBornBeforeHasEnded()
    {
        var stored = await host.LogInAsync("ada");
        await OutageHost.PassAsync();
        await CutOffAsync();
        var before = await host.LogInAsync("ada");
        await host.Sessions.RevokeAllAsync("ada", null, None);
        var after = await host.LogInAsync("ada");

        await host.RecoverExactlyAsync(redis);

        (await other.IsValidAsync(stored)).ShouldBeFalse();
        (await other.IsValidAsync(before)).ShouldBeFalse();
        (await other.IsValidAsync(after)).ShouldBeTrue();
    }

    [Fact]
    public async Task MoveWithoutAnAnswer_IsNeverWrittenAgain()
    {
        await CutOffAsync();
        var born = await host.LogInAsync("ada");
        var (mover, keys) = (host.Get<SessionMover>(), host.Get<RedisKeys>());
        var clock = await OutageHost.ClockAsync(redis);
        await redis.PauseAsync();
        host.Hurry();
        try
        {
            (await mover.RunAsync(clock, None)).ShouldBeFalse();
            mover.IsUnsettled(UserReference.Of("ada"), born.Token.Id).ShouldBeTrue();
            // It may be in Redis too, so that memory alone cannot say that it is done.
            (await host.Sessions.RevokeAsync("ada", born.Token.Id, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);
            // So that Redis finds the command in its buffer when it may not be carried out any more.
            await Eventually.TrueAsync(() => clock.In(TimeSpan.Zero, TimeProvider.System) > mover.UnsettledUntil);
        }
        finally
        {
            await redis.ResumeAsync();
        }

        await host.RecoverAsync();
        // No record: the mark of the revocation.
        (await redis.IntegerAsync("STRLEN", keys.Session(UserReference.Of("ada"), born.Token.Id))).ShouldBe(31);
        (await other.IsValidAsync(born)).ShouldBeFalse();
        (await host.IsValidAsync(born)).ShouldBeFalse();
    }

    // Redis may have taken the session although it gave no answer. Ended here, in memory, it must not live on there.
    [Fact]
    public async Task LogInWithATokenMadeBefore_GetsAnother_WhenRedisDidNotAnswer()
    {
        await using var falling = new OutageHost(redis, null, automatic: false, folder.Setting("falling"), ("Storage:Outage:Sessions", "Memory"));
        await falling.RecoverAsync();
        await falling.LogInAsync("ada");
        // Again: if that one found Redis away for a moment, the next would not ask it.
        await falling.RecoverAsync();
        var token = SessionToken.Create(UserReference.Of("ada"));
        IssuedSession born;
        await redis.PauseAsync();
        falling.Hurry();
        try
        {
            born = await falling.Sessions.CreateAsync(new NewSession { UserId = "ada", Token = token }, None);
        }
        finally
        {
            await redis.ResumeAsync();
        }

        born.Token.Value.ShouldNotBe(token.Value);
        (await falling.IsValidAsync(born)).ShouldBeTrue();
        (await falling.Sessions.RevokeAsync("ada", born.Token.Id, None)).Ended.ShouldBe(1);
        (await falling.IsValidAsync(born)).ShouldBeFalse();
        // Whether Redis took it or not: what the client holds is not it.
        (await redis.IntegerAsync("EXISTS", falling.Get<RedisKeys>().Session(UserReference.Of("ada"), born.Token.Id))).ShouldBe(0);
    }

    [Fact]
    public async Task Wipe_LosesWhatWasInRedis_AndMovesWhatWasBornSince()
    {
        var stored = await host.LogInAsync("ada");
        await CutOffAsync();
        var born = await host.LogInAsync("ada");
        await redis.FlushAllAsync();

        await host.RecoverAsync();

        (await host.IsValidAsync(stored)).ShouldBeFalse();
        (await host.IsValidAsync(born)).ShouldBeTrue();
    }

    [Fact]
    public async Task Memory_NeverGrowsPastItsCap()
    {
        await using var small = new OutageHost(
            redis, null, automatic: false, folder.Setting("small"), ("Storage:Outage:Sessions", "Memory"), ("Storage:Memory:MaxEntriesPerKind", "5"));
        await small.Get<RedisBreaker>().OpenAsync();
        small.Mode.SetAway(true, "cut off by the test");
        for (var i = 0; i < 5; i++)
        {
            await small.LogInAsync($"u{i}");
        }

        (await Should.ThrowAsync<StorageUnavailableException>(() => small.LogInAsync("one more"))).Reason.ShouldBe(UnavailableReason.OutOfMemory);
        small.Get<MemorySessions>().Count.ShouldBe(5);
    }

    private string Key(IssuedSession issued) => host.Get<RedisKeys>().Session(UserReference.Of(issued.Session.UserId), issued.Token.Id);

    private async Task CutOffAsync()
    {
        await host.Get<RedisBreaker>().OpenAsync();
        host.Mode.SetAway(true, "cut off by the test");
    }
}
