using Maintenance.Storage.Denylist;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.OutageTests;

/// <summary>Revocations while Redis is away: done, journalled, or unavailable.</summary>
public sealed class RevocationTests
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly (string, string) MemoryPolicy = ("Storage:Outage:Sessions", "Memory");

    [Fact]
    public async Task RevokeAll_IsJournalled_AndCarriedOutBeforeTheHostReadsAgain()
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions { AppendOnly = true });
        using var folder = new JournalFolder();
        await using var host = new OutageHost(redis, null, folder.Setting());
        await host.RecoverAsync();
        var ada = await host.LogInAsync("ada");
        var ben = await host.LogInAsync("ben");
        await redis.KillAsync();
        await host.NoticeAsync();

        var revoked = await host.Sessions.RevokeAllAsync("ada", null, None);

        revoked.ShouldBe(new RevokedSessions(0, false) { Outcome = RevocationOutcome.Journalled });
        await redis.RestartAsync();
        await host.RecoverAsync();
        (await host.Sessions.ValidateAsync(ada.Token.Value, None)).IsValid.ShouldBeFalse();
        (await redis.IntegerAsync("EXISTS", host.Get<RedisKeys>().Session(UserReference.Of("ada"), ada.Token.Id))).ShouldBe(0);
        (await host.IsValidAsync(ben)).ShouldBeTrue();
        (await host.IsValidAsync(await host.LogInAsync("ada"))).ShouldBeTrue();
    }

    [Fact]
    public async Task RevokeOne_IsJournalled_AndLeavesTheOthers()
    {
        await using var redis = await RedisServer.StartAsync();
        using var folder = new JournalFolder();
        await using var host = new OutageHost(redis, null, folder.Setting());
        await host.RecoverAsync();
        var (phone, laptop) = (await host.LogInAsync("ada"), await host.LogInAsync("ada"));
        await redis.PauseAsync();
        await host.NoticeAsync();

        (await host.Sessions.RevokeAsync("ada", phone.Token.Id, None)).ShouldBe(new Revocation(0, RevocationOutcome.Journalled));

        await redis.ResumeAsync();
        await host.RecoverAsync();
        (await host.IsValidAsync(phone)).ShouldBeFalse();
        (await host.IsValidAsync(laptop)).ShouldBeTrue();
        (await redis.ListAsync("ZRANGE", host.Get<RedisKeys>().SessionIndex(UserReference.Of("ada")), "0", "-1")).ShouldBe([laptop.Token.Id.Value]);
    }

    [Fact]
    public async Task JournalledRevocations_HoldOnThisHost_EvenWhileRedisGoesOnAnsweringReads()
    {
        await using var redis = await RedisServer.StartAsync();
        using var folder = new JournalFolder();
        await using var host = new OutageHost(redis, null, automatic: false, folder.Setting(), MemoryPolicy);
        await host.RecoverAsync();
        var (phone, laptop) = (await host.LogInAsync("ada"), await host.LogInAsync("ada"));
        var ben = await host.LogInAsync("ben");
        // What is born again below is compared with this log-in's time.
        await OutageHost.PassAsync();
        await redis.ExecuteAsync("CONFIG", "SET", "min-replicas-to-write", "1");

        (await host.Sessions.RevokeAsync("ada", phone.Token.Id, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);
        (await host.Sessions.RevokeAllAsync("ben", null, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);

        (await host.Watch.PassAsync(None)).ShouldBeFalse();
        host.Mode.IsRedisAway.ShouldBeFalse();
        (await host.Sessions.ValidateAsync(phone.Token.Value, None)).Denial.ShouldBe(SessionDenial.Revoked);
        (await host.Sessions.RotateAsync(phone.Token.Value, new SessionChanges(), None)).Denial.ShouldBe(SessionDenial.Revoked);
        (await host.Sessions.GetAsync("ada", phone.Token.Id, None)).ShouldBeNull();
        (await host.Sessions.ListAsync("ada", None)).ShouldHaveSingleItem().Id.ShouldBe(laptop.Token.Id);
        (await host.IsValidAsync(laptop)).ShouldBeTrue();
        (await host.IsValidAsync(ben)).ShouldBeFalse();
        // Born in memory: in Redis it would end with what waits.
        var again = await host.LogInAsync("ben");
        (await host.IsValidAsync(again)).ShouldBeTrue();

        await redis.ExecuteAsync("CONFIG", "SET", "min-replicas-to-write", "0");
        await host.RecoverExactlyAsync(redis);
        (await host.IsValidAsync(phone)).ShouldBeFalse();
        (await host.IsValidAsync(ben)).ShouldBeFalse();
        (await host.IsValidAsync(again)).ShouldBeTrue();
    }

    [Fact]
    public async Task WithoutAJournal_ARevocationIsUnavailable_AndNeverASuccess()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis, null, MemoryPolicy);
        var before = await host.LogInAsync("ada");
        await redis.PauseAsync();
        try
        {
            await host.NoticeAsync();
            var born = await host.LogInAsync("ada");

            (await Should.ThrowAsync<StorageUnavailableException>(() => host.Sessions.RevokeAsync("ada", before.Token.Id, None)))
                .Message.ShouldContain("Storage:Outage:JournalFile");
            await Should.ThrowAsync<StorageUnavailableException>(() => host.Sessions.RevokeAllAsync("ada", null, None));

            // What was in this host's memory has ended all the same.
            (await host.IsValidAsync(born)).ShouldBeFalse();
        }
        finally
        {
            await redis.ResumeAsync();
        }

        await host.RecoverAsync();
        (await host.IsValidAsync(before)).ShouldBeTrue();
    }

    [Fact]
    public async Task SessionBornInMemory_EndsAtOnce_AndThatIsDone()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var host = new OutageHost(redis, null, MemoryPolicy);
        await redis.KillAsync();
        await host.NoticeAsync();
        var born = await host.LogInAsync("ada");

        (await host.Sessions.RevokeAsync("ada", born.Token.Id, None)).ShouldBe(Revocation.One);

        (await host.IsValidAsync(born)).ShouldBeFalse();
        await redis.RestartAsync();
        await host.RecoverAsync();
        (await host.IsValidAsync(born)).ShouldBeFalse();
    }

    [Fact]
    public async Task FullJournal_IsUnavailable_AndNamesTheSetting()
    {
        await using var redis = await RedisServer.StartAsync();
        using var folder = new JournalFolder();
        await using var host = new OutageHost(redis, null, folder.Setting(), ("Storage:Outage:JournalEntries", "2"));
        await host.RecoverAsync();
        await redis.KillAsync();
        await host.NoticeAsync();
        await host.Sessions.RevokeAllAsync("a", null, None);
        await host.Sessions.RevokeAllAsync("b", null, None);

        (await Should.ThrowAsync<StorageUnavailableException>(() => host.Sessions.RevokeAllAsync("c", null, None)))
            .Message.ShouldContain("Storage:Outage:JournalEntries");
        host.Pending.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Journal_SurvivesTheHost_AndIsReplayedBeforeTheNextOneReads()
    {
        await using var redis = await RedisServer.StartAsync();
        using var folder = new JournalFolder();
        IssuedSession issued;
        await using (var first = new OutageHost(redis, null, folder.Setting()))
        {
            await first.RecoverAsync();
            issued = await first.LogInAsync("ada");
            await redis.PauseAsync();
            await first.NoticeAsync();
            (await first.Sessions.RevokeAllAsync("ada", null, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);
        }

        await redis.ResumeAsync();
        await using var next = new OutageHost(redis, null, automatic: false, folder.Setting());
        await Should.ThrowAsync<StorageUnavailableException>(() => next.IsValidAsync(issued));
        await next.RecoverAsync();
        (await next.IsValidAsync(issued)).ShouldBeFalse();
        (await redis.IntegerAsync("EXISTS", next.Get<RedisKeys>().Session(UserReference.Of("ada"), issued.Token.Id))).ShouldBe(0);
        next.Log.WithEvent(1500).ShouldBeEmpty("a start is no change of mode");
    }

    [Fact]
    public async Task RevocationByAnOldId_EndsTheSession_ThoughItIsCarriedOutAfterTheGrace()
    {
        await using var redis = await RedisServer.StartAsync();
        using var folder = new JournalFolder();
        await using var host = new OutageHost(redis, null, automatic: false, folder.Setting(), ("Storage:Sessions:RotationGrace", "00:01:00"));
        await host.RecoverAsync();
        var old = await host.LogInAsync("ada");
        var current = (await host.Sessions.RotateAsync(old.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        await redis.PauseAsync();
        await host.NoticeAsync();
        (await host.Sessions.RevokeAsync("ada", old.Token.Id, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);
        await redis.ResumeAsync();
        var key = host.Get<RedisKeys>().Session(UserReference.Of("ada"), old.Token.Id);
        // As if the grace were over.
        (await redis.IntegerAsync("DEL", key)).ShouldBe(1);

        await host.RecoverAsync();

        (await host.IsValidAsync(current)).ShouldBeFalse();
    }

    [Fact]
    public async Task RefreshFamilies_AreRevokedThroughTheJournal()
    {
        await using var redis = await RedisServer.StartAsync();
        using var folder = new JournalFolder();
        await using var host = new OutageHost(redis, null, folder.Setting());
        await host.RecoverAsync();
        var families = host.Get<IRefreshTokenStore>();
        var session = await host.LogInAsync("ada");
        var ofSession = (await families.IssueAsync(new NewRefreshFamily { UserId = "ada", SessionId = session.Token.Id }, None)).Token.ShouldNotBeNull();
        var alone = (await families.IssueAsync(new NewRefreshFamily { UserId = "ada" }, None)).Token.ShouldNotBeNull();
        var kept = (await families.IssueAsync(new NewRefreshFamily { UserId = "ada" }, None)).Token.ShouldNotBeNull();
        var bens = (await families.IssueAsync(new NewRefreshFamily { UserId = "ben" }, None)).Token.ShouldNotBeNull();
        await redis.PauseAsync();
        await host.NoticeAsync();

        (await host.Sessions.RevokeAsync("ada", session.Token.Id, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);
        (await families.RevokeAsync("ada", alone.FamilyId, None)).Outcome.ShouldBe(RevocationOutcome.Journalled);
        (await families.RevokeAllAsync("ben", None)).Outcome.ShouldBe(RevocationOutcome.Journalled);

        await redis.ResumeAsync();
        await host.RecoverAsync();
        (await families.RotateAsync(ofSession.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await families.RotateAsync(alone.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await families.RotateAsync(bens.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await families.RotateAsync(kept.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
        (await host.IsValidAsync(session)).ShouldBeFalse();
    }

    [Fact]
    public async Task OneTimeTokens_AreInvalidatedThroughTheJournal_ThoseOfOnePurpose()
    {
        await using var redis = await RedisServer.StartAsync();
        using var folder = new JournalFolder();
        await using var host = new OutageHost(redis, null, folder.Setting());
        await host.RecoverAsync();
        var tokens = host.Get<IOneTimeTokenStore>();
        var reset = await tokens.IssueAsync(OneTimePurpose.PasswordReset, "ada", null, None);
        var link = await tokens.IssueAsync(OneTimePurpose.MagicLink, "ada", null, None);
        await redis.PauseAsync();
        await host.NoticeAsync();

        (await tokens.InvalidateAllAsync(OneTimePurpose.PasswordReset, "ada", None)).Outcome.ShouldBe(RevocationOutcome.Journalled);

        await redis.ResumeAsync();
        await host.RecoverAsync();
        (await tokens.RedeemAsync(OneTimePurpose.PasswordReset, reset.Token.Value, None)).Token.ShouldBeNull();
        (await tokens.RedeemAsync(OneTimePurpose.MagicLink, link.Token.Value, None)).Token.ShouldNotBeNull();
    }

    [Fact]
    public async Task Denial_HoldsOnThisHostAtOnce_AndIsCarriedOut()
    {
        await using var redis = await RedisServer.StartAsync();
        using var folder = new JournalFolder();
        await using var host = new OutageHost(redis, null, folder.Setting());
        await using var other = new OutageHost(redis);
        await host.RecoverAsync();
        var list = host.Get<ITokenDenylist>();
        var (id, unknown) = (DenylistId.OfTokenId("stolen"), DenylistId.OfTokenId("other"));
        await redis.PauseAsync();
        await host.NoticeAsync();

        (await list.DenyAsync(id, TimeProvider.System.GetUtcNow().AddHours(1), "stolen", None)).ShouldBe(new Revocation(1, RevocationOutcome.Journalled));
        await Should.ThrowAsync<ArgumentException>(() => list.DenyAsync(unknown, DateTimeOffset.MaxValue, null, None));

        (await list.IsDeniedAsync(id, None)).ShouldBeTrue();
        (await list.AreDeniedAsync([id], None)).ShouldBe([true]);
        await Should.ThrowAsync<StorageUnavailableException>(() => list.AreDeniedAsync([id, unknown], None));

        await redis.ResumeAsync();
        await host.RecoverAsync();
        await Eventually.TrueAsync(() => other.Get<ITokenDenylist>().IsDeniedAsync(id, None));
        (await other.Get<ITokenDenylist>().FindAsync(id, None))!.Reason.ShouldBe("stolen");
        (await list.IsDeniedAsync(unknown, None)).ShouldBeFalse();
    }
}
