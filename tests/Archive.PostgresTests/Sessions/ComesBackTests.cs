using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Archive.PostgresTests.Sessions;

/// <summary>What Redis ends without the archive having been told of it must not come back from there.</summary>
public sealed class ComesBackTests(RedisFixture redis, PostgresFixture postgres) : IClassFixture<RedisFixture>, IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly string user = Guid.NewGuid().ToString("D");
    private PostgresDatabase rows = null!;
    private ArchiveDatabase database = null!;
    private GatedArchive archive = null!;
    private Host host = null!;
    private Host other = null!;

    public async Task InitializeAsync()
    {
        (rows, database) = await ArchiveDatabases.CreateAsync(postgres.Server);
        archive = new GatedArchive(new PostgresSessionArchive(database));
        var options = new SessionOptions { RotationGrace = TimeSpan.FromMinutes(1), MaxSessionsPerUser = 2 };
        host = new Host(redis.Server.Url, archive, options);
        other = new Host(redis.Server.Url, new PostgresSessionArchive(database), options);
    }

    public async Task DisposeAsync()
    {
        await host.DisposeAsync();
        await other.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task SessionCreatedWhileTheArchiveIsAway_RotatedAndEndedByItsOldId_StaysEnded()
    {
        archive.BeforeAdd = Away;
        var session = await host.LogInAsync(user);
        archive.BeforeAdd = null;
        var rotated = await RotateAsync(session);

        (await other.Store.RevokeAsync(user, session.Token.Id, None)).ToBoolean().ShouldBeTrue();

        await ShouldBeEndedAsync(session, rotated);
    }

    [Fact]
    public async Task RotationThatBeganLongBefore_EndedByItsOldId_StaysEnded()
    {
        var session = await host.LogInAsync(user);
        // The second call is the rotation's own read: the first attempt has begun in the archive and never came to Redis.
        var calls = 0;
        host.BeforeRedis = () => ++calls == 2 ? Unavailable(UnavailableReason.Deadline) : Task.CompletedTask;
        await Should.ThrowAsync<StorageUnavailableException>(() => host.Store.RotateAsync(session.Token.Value, new SessionChanges(), None));
        host.BeforeRedis = null;
        (await rows.ExecuteAsync("UPDATE archive_sessions SET alias_until = now() - interval '1 second' WHERE alias_until IS NOT NULL")).ShouldBe(1);
        var rotated = await RotateAsync(session);

        (await other.Store.RevokeAsync(user, session.Token.Id, None)).ToBoolean().ShouldBeTrue();

        await ShouldBeEndedAsync(session, rotated);
    }

    [Fact]
    public async Task RotationWhoseRowIsNotWritten_EndedByItsOldId_WhileTheArchiveGoesAway_IsUnavailable_AndEndsTheNextTime()
    {
        archive.BeforeAdd = Away;
        var session = await host.LogInAsync(user);
        archive.BeforeAdd = null;
        archive.BeforeComplete = Away;
        var rotated = await RotateAsync(session);
        archive.BeforeComplete = null;
        (await other.Archive.AddAsync(rotated.Session, [], None)).ShouldBeTrue("it may have been written after all");

        // The old id is committed, the one that Redis leads to is not: nothing may be answered, and nothing may be forgotten.
        var revocations = 0;
        archive.AfterRevoke = () => ++revocations == 1 ? Away() : Task.CompletedTask;
        await Should.ThrowAsync<StorageUnavailableException>(() => host.Store.RevokeAsync(user, session.Token.Id, None));
        (await host.Store.RevokeAsync(user, session.Token.Id, None)).ToBoolean().ShouldBeTrue();

        await ShouldBeEndedAsync(session, rotated);
    }

    [Fact]
    public async Task ReusedRefreshToken_WhoseAnswerIsLost_EndsItsSessionForGood()
    {
        var session = await host.LogInAsync(user);
        var stolen = await host.IssueAsync(session);
        var current = (await host.Families.RotateAsync(stolen.Value, None)).Token.ShouldNotBeNull();
        (await host.Families.RotateAsync(current.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
        var rotated = await RotateAsync(session);

        // The host ends between Redis's answer and what it does with it.
        (await host.RedisFamilies.RotateAsync(stolen.Value, None)).Outcome.ShouldBe(RefreshOutcome.Reused);

        foreach (var each in new[] { session, rotated })
        {
            (await host.IsValidAsync(each)).ShouldBeFalse();
            (await other.IsValidAsync(each)).ShouldBeFalse();
        }
    }

    [Fact]
    public async Task SessionsThatHadToLeave_StayAway_WhenTheAnswerOfTheLogInIsLost()
    {
        var first = await host.LogInAsync(user);
        var second = await host.LogInAsync(user);

        await host.Redis.CreateAsync(new NewSession { UserId = user }, None);

        var left = (await host.Redis.ValidateAsync(first.Token.Value, None)).IsValid ? second : first;
        (await other.IsValidAsync(left)).ShouldBeFalse();
    }

    [Fact]
    public async Task SessionThatHadToLeave_AndIsValidatedMeanwhile_DoesNotComeBackPastTheCap()
    {
        var sessions = new[] { await host.LogInAsync(user), await host.LogInAsync(user) };
        var script = new Gate();
        var calls = 0;
        // The third call is the first one after the log-in's script: whoever had to leave is out of Redis, and the archive has not heard of it.
        host.BeforeRedis = () => ++calls == 3 ? script.PassAsync() : Task.CompletedTask;
        var login = host.LogInAsync(user);
        await script.ReachedAsync();

        foreach (var session in sessions)
        {
            await other.IsValidAsync(session);
        }

        script.Open();
        await login;

        host.BeforeRedis = null;
        (await host.Redis.ListAsync(user, None)).Count.ShouldBe(2);
        (await host.Store.ListAsync(user, None)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task ReplayAfterARestoredBackup_EndsTheRefreshFamiliesOfWhatHasEnded_AndTakesTheOthersAlong()
    {
        await using var own = await RedisServer.StartAsync();
        await using var before = new Host(own.Url, archive);
        var (revoked, old, kept) = (await before.LogInAsync(user), await before.LogInAsync(user), await before.LogInAsync(user));
        var (ofRevoked, ofOld, ofKept) = (await before.IssueAsync(revoked), await before.IssueAsync(old), await before.IssueAsync(kept));
        await own.ExecuteAsync("SAVE");
        var backup = await File.ReadAllBytesAsync(Path.Combine(own.Folder, "dump.rdb"));
        await before.Store.RevokeAsync(user, revoked.Token.Id, None);
        var rotated = (await before.Store.RotateAsync(old.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();

        await own.KillAsync();
        await File.WriteAllBytesAsync(Path.Combine(own.Folder, "dump.rdb"), backup);
        await own.RestartAsync();
        await using var after = new Host(own.Url, archive);
        await after.Replay.RunAsync(DateTimeOffset.UnixEpoch, null, None);

        (await after.Families.RotateAsync(ofRevoked.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await after.Families.RotateAsync(ofKept.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
        var next = (await after.Families.RotateAsync(ofOld.Value, None)).Token.ShouldNotBeNull("its session was rotated, not ended");
        (await after.IsValidAsync(rotated)).ShouldBeTrue();
        await after.Store.RevokeAsync(user, rotated.Token.Id, None);
        (await after.Families.RotateAsync(next.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied, "the family went along with its session");
    }

    [Fact]
    public async Task Replay_LeavesASessionAlone_WhoseRotationHasBegunAndNotHappened()
    {
        var session = await host.LogInAsync(user);
        await host.Archive.BeginRotationAsync(UserReference.Of(user), session.Token.Id, TimeSpan.FromSeconds(10), None);

        await host.Replay.RunAsync(DateTimeOffset.UnixEpoch, null, None);

        (await host.IsValidAsync(session)).ShouldBeTrue();
    }

    [Fact]
    public async Task Rotation_IsAnswered_WhenRedisGoesAwayAfterIt()
    {
        var session = await host.LogInAsync(user);
        // After it was written down, Redis answers nothing any more.
        archive.BeforeComplete = () =>
        {
            host.BeforeRedis = () => Unavailable(UnavailableReason.Deadline);
            return Task.CompletedTask;
        };

        var rotated = await RotateAsync(session);

        host.BeforeRedis = null;
        (await host.IsValidAsync(rotated)).ShouldBeTrue();
    }

    [Fact]
    public async Task TokenThatNobodyWasGiven_IsLookedUpOnce_AndWritesNothing()
    {
        // It is remembered for seconds, by a clock that stands.
        await using var still = new Host(redis.Server.Url, archive, clockOfMisses: new ManualTimeProvider());
        var stranger = SessionToken.Create(UserReference.Of(user));
        var before = await redis.Server.KeysAsync("*");

        for (var i = 0; i < 3; i++)
        {
            (await still.Store.ValidateAsync(stranger.Value, None)).Denial.ShouldBe(SessionDenial.NotFound);
        }

        archive.Finds.ShouldBe(1);
        // What other tests have left may end meanwhile.
        (await redis.Server.KeysAsync("*")).Except(before).ShouldBeEmpty();
    }

    [Fact]
    public async Task FloodOfTokensThatNobodyWasGiven_TakesOnlySoManyPlaces_AndALogOutGoesOn()
    {
        var session = await host.LogInAsync(user);
        var hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        archive.AfterFind = () => hold.Task;
        var flood = Enumerable.Range(0, 3 * ArchiveReadThrough.MostAtOnce)
            .Select(_ => host.Store.ValidateAsync(SessionToken.Create(UserReference.Of(user)).Value, None)).ToList();
        // Whoever has a place may not have come to its read yet.
        await Eventually.TrueAsync(
            () => flood.Count(task => task.IsFaulted) == 2 * ArchiveReadThrough.MostAtOnce && archive.Finds >= ArchiveReadThrough.MostAtOnce, TimeSpan.FromSeconds(60));

        archive.Finds.ShouldBe(ArchiveReadThrough.MostAtOnce);
        (await host.Store.RevokeAsync(user, session.Token.Id, None)).ToBoolean().ShouldBeTrue();

        hold.SetResult();
        foreach (var task in flood)
        {
            try
            {
                (await task).IsValid.ShouldBeFalse();
            }
            catch (StorageUnavailableException exception)
            {
                exception.Reason.ShouldBe(UnavailableReason.Archive);
            }
        }
    }

    private static Task Away() => Unavailable(UnavailableReason.Archive);

    private static Task Unavailable(UnavailableReason reason) => throw new StorageUnavailableException(reason, "planted");

    private async Task<IssuedSession> RotateAsync(IssuedSession session) =>
        (await host.Store.RotateAsync(session.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();

    private async Task ShouldBeEndedAsync(params IssuedSession[] sessions)
    {
        foreach (var wiped in new[] { false, true })
        {
            if (wiped)
            {
                await redis.Server.FlushAllAsync();
            }

            foreach (var session in sessions)
            {
                (await host.IsValidAsync(session)).ShouldBeFalse($"wiped: {wiped}");
                (await other.IsValidAsync(session)).ShouldBeFalse($"wiped: {wiped}");
            }
        }
    }
}
