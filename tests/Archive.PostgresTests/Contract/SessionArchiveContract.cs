using System.Net;
using Maintenance.Storage.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Archive.PostgresTests.Contract;

/// <summary>What every <see cref="ISessionArchive"/> must do. A derived class says on what; each test has users of its own.</summary>
public abstract class SessionArchiveContract
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly TimeSpan Keep = TimeSpan.FromDays(7);
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private readonly string userId = "用户 " + Guid.NewGuid().ToString("D");

    /// <summary>The archive under test.</summary>
    protected abstract ISessionArchive Archive { get; }

    private UserReference User => UserReference.Of(userId);

    [Fact]
    public async Task Add_KeepsEveryFieldOfASession()
    {
        var session = NewSession(1000) with
        {
            IpAddress = IPAddress.Parse("2001:db8::7"),
            UserAgent = "Mozilla/5.0 😀 \0",
            DeviceName = "Küche",
            Claims = new Dictionary<string, string> { ["role"] = "admin\0", [""] = "", ["名"] = "値" },
            AuthenticatedAt = Now().AddMinutes(-2),
        };

        (await Archive.AddAsync(session, [], None)).ShouldBeTrue();

        var found = (await Archive.FindAsync(User, session.Id, None)).ShouldNotBeNull();
        found.ShouldBe(session with { Claims = found.Claims });
        found.Claims.ShouldBe(session.Claims, ignoreOrder: true);
        (await Archive.ListAsync(User, None)).ShouldHaveSingleItem().Id.ShouldBe(session.Id);
        (await Archive.GetGenerationAsync(User, None)).ShouldBe(1000);
    }

    [Fact]
    public async Task UnknownUser_HasNoGenerationAndNoSessions()
    {
        (await Archive.GetGenerationAsync(User, None)).ShouldBeNull();
        (await Archive.FindAsync(User, NewId(), None)).ShouldBeNull();
        (await Archive.ListAsync(User, None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Find_TakesNoSessionOfAnotherUser()
    {
        var session = await AddedAsync(1000);

        (await Archive.FindAsync(UserReference.Of("someone else " + userId), session.Id, None)).ShouldBeNull();
    }

    [Fact]
    public async Task ExpiredSession_IsNotLive()
    {
        var session = NewSession(1000) with { ExpiresAt = Now().AddSeconds(-1) };

        await Archive.AddAsync(session, [], None);

        (await Archive.FindAsync(User, session.Id, None)).ShouldBeNull();
        (await Archive.ListAsync(User, None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Add_RaisesALowerGeneration_WhichEndsWhatCarriedIt_AndRefusesASessionOfALowerOne()
    {
        var older = await AddedAsync(1000);

        var newer = await AddedAsync(2000);
        var late = NewSession(1500);

        (await Archive.AddAsync(late, [], None)).ShouldBeFalse();
        (await Archive.GetGenerationAsync(User, None)).ShouldBe(2000);
        (await Archive.ListAsync(User, None)).ShouldHaveSingleItem().Id.ShouldBe(newer.Id);
        (await Archive.FindAsync(User, older.Id, None)).ShouldBeNull();
        (await Archive.FindAsync(User, late.Id, None)).ShouldBeNull();
    }

    [Fact]
    public async Task Add_EndsThoseThatHadToLeave()
    {
        var (leaves, stays) = (await AddedAsync(1000), await AddedAsync(1000));

        await Archive.AddAsync(NewSession(1000), [leaves.Id, NewId()], None);

        (await Archive.FindAsync(User, leaves.Id, None)).ShouldBeNull();
        (await Archive.FindAsync(User, stays.Id, None)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Revoke_EndsASession_AndSaysWhetherItWasLive()
    {
        var session = await AddedAsync(1000);

        var first = await Archive.RevokeAsync(User, session.Id, Keep, None);
        var second = await Archive.RevokeAsync(User, session.Id, Keep, None);

        first.WasLive.ShouldBeTrue();
        first.Ids.ShouldBe([session.Id]);
        second.WasLive.ShouldBeFalse();
        (await Archive.FindAsync(User, session.Id, None)).ShouldBeNull();
    }

    [Fact]
    public async Task Revoke_BeforeTheSessionsOwnRow_KeepsItFromComing()
    {
        var session = NewSession(1000);

        (await Archive.RevokeAsync(User, session.Id, Keep, None)).WasLive.ShouldBeFalse();

        (await Archive.AddAsync(session, [], None)).ShouldBeFalse();
        (await Archive.FindAsync(User, session.Id, None)).ShouldBeNull();
    }

    [Fact]
    public async Task RevokeAll_EndsEverySession_AndItsGenerationIsAboveBoth()
    {
        var above = Microseconds(Now().AddHours(1));
        var sessions = new[] { await AddedAsync(1000), await AddedAsync(1000) };

        var generation = await Archive.RevokeAllAsync(User, above, null, Keep, None);
        var next = await Archive.RevokeAllAsync(User, 0, null, Keep, None);

        generation.ShouldBe(above + 1);
        next.ShouldBe(above + 2);
        (await Archive.GetGenerationAsync(User, None)).ShouldBe(next);
        (await Archive.ListAsync(User, None)).ShouldBeEmpty();
        (await Archive.AddAsync(NewSession(1000), [], None)).ShouldBeFalse();
        sessions.Length.ShouldBe(2);
    }

    [Fact]
    public async Task RevokeAll_IsATime_ForAUserThatTheArchiveDoesNotKnow()
    {
        var before = Microseconds(Now());

        (await Archive.RevokeAllAsync(User, 0, null, Keep, None)).ShouldBeGreaterThanOrEqualTo(before);
    }

    [Fact]
    public async Task RevokeAll_KeepsOneSession_InTheNewGeneration()
    {
        var (kept, other) = (await AddedAsync(1000), await AddedAsync(1000));

        var generation = await Archive.RevokeAllAsync(User, 0, kept.Id, Keep, None);

        (await Archive.FindAsync(User, kept.Id, None)).ShouldNotBeNull().Generation.ShouldBe(generation);
        (await Archive.FindAsync(User, other.Id, None)).ShouldBeNull();
    }

    [Fact]
    public async Task RevokeAll_RevivesNoEndedSessionThatIsToBeKept()
    {
        var (ended, old) = (await AddedAsync(1000), await AddedAsync(1000));
        await Archive.RevokeAsync(User, ended.Id, Keep, None);

        await Archive.RevokeAllAsync(User, 0, ended.Id, Keep, None);
        await Archive.RevokeAllAsync(User, 0, old.Id, Keep, None);

        (await Archive.ListAsync(User, None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task AdvanceGeneration_EndsWhatIsBelow_ButTheKeptOne_AndNeverLowers()
    {
        var (kept, other) = (await AddedAsync(1000), await AddedAsync(1000));

        await Archive.AdvanceGenerationAsync(User, 2000, kept.Id, Keep, None);
        await Archive.AdvanceGenerationAsync(User, 1500, other.Id, Keep, None);

        (await Archive.GetGenerationAsync(User, None)).ShouldBe(2000);
        (await Archive.ListAsync(User, None)).ShouldHaveSingleItem().Id.ShouldBe(kept.Id);
    }

    [Fact]
    public async Task Rotation_EndsTheOldIdFirst_AndThenBringsTheNewOne()
    {
        var old = await AddedAsync(1000);
        var rotated = old with { Id = NewId() };

        await Archive.BeginRotationAsync(User, old.Id, Grace, None);
        (await Archive.FindAsync(User, old.Id, None)).ShouldBeNull();
        await Archive.BeginRotationAsync(User, old.Id, Grace, None);

        (await Archive.CompleteRotationAsync(old.Id, rotated, Grace, None)).ShouldBeTrue();
        (await Archive.ListAsync(User, None)).ShouldHaveSingleItem().Id.ShouldBe(rotated.Id);
    }

    [Fact]
    public async Task Rotation_OfASessionThatWasNotArchived_ArchivesIt()
    {
        var rotated = NewSession(1000);

        await Archive.BeginRotationAsync(User, NewId(), Grace, None);

        (await Archive.CompleteRotationAsync(NewId(), rotated, Grace, None)).ShouldBeTrue();
        (await Archive.FindAsync(User, rotated.Id, None)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Rotation_IsRefused_WhenEitherIdOrEverythingWasRevokedMeanwhile()
    {
        foreach (var revoke in new Func<Session, Session, Task>[]
        {
            (old, _) => Archive.RevokeAsync(User, old.Id, Keep, None),
            (_, rotated) => Archive.RevokeAsync(User, rotated.Id, Keep, None),
            (_, _) => Archive.RevokeAllAsync(User, 0, null, Keep, None),
        })
        {
            var old = await AddedAsync((await Archive.GetGenerationAsync(User, None)) ?? 1000);
            var rotated = old with { Id = NewId() };
            await Archive.BeginRotationAsync(User, old.Id, Grace, None);

            await revoke(old, rotated);

            (await Archive.CompleteRotationAsync(old.Id, rotated, Grace, None)).ShouldBeFalse();
            (await Archive.ListAsync(User, None)).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task Revoke_OfAnOldIdWithinItsGrace_EndsWhatReplacedIt_HoweverOften()
    {
        var first = await AddedAsync(1000);
        var (second, third) = (first with { Id = NewId() }, first with { Id = NewId() });
        await RotateAsync(first, second, Grace);
        await RotateAsync(second, third, Grace);

        var revoked = await Archive.RevokeAsync(User, first.Id, Keep, None);

        revoked.Ids.ShouldBe([first.Id, second.Id, third.Id]);
        revoked.WasLive.ShouldBeTrue();
        (await Archive.ListAsync(User, None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Revoke_OfAnOldIdThatWasNotArchived_EndsWhatReplacedIt()
    {
        var (old, rotated) = (NewSession(1000), NewSession(1000));
        await RotateAsync(old, rotated, Grace);

        var revoked = await Archive.RevokeAsync(User, old.Id, Keep, None);

        revoked.Ids.ShouldBe([old.Id, rotated.Id]);
        revoked.WasLive.ShouldBeTrue();
        (await Archive.ListAsync(User, None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Grace_OfAnOldIdBeginsWithTheRotationThatHappened()
    {
        var old = await AddedAsync(1000);
        var rotated = old with { Id = NewId() };
        // One that came to nothing, long ago.
        await Archive.BeginRotationAsync(User, old.Id, TimeSpan.Zero, None);

        await RotateAsync(old, rotated, Grace);

        (await Archive.RevokeAsync(User, old.Id, Keep, None)).Ids.ShouldBe([old.Id, rotated.Id]);
    }

    [Fact]
    public async Task Revoke_OfAnOldIdAfterItsGrace_EndsNothing()
    {
        var first = await AddedAsync(1000);
        var second = first with { Id = NewId() };
        await RotateAsync(first, second, TimeSpan.Zero);

        (await Archive.RevokeAsync(User, first.Id, Keep, None)).WasLive.ShouldBeFalse();

        (await Archive.FindAsync(User, second.Id, None)).ShouldNotBeNull();
    }

    [Fact]
    public async Task RevokeAll_KeepsTheSuccessorOfAnIdWithinItsGrace()
    {
        var first = await AddedAsync(1000);
        var second = first with { Id = NewId() };
        await RotateAsync(first, second, Grace);

        var generation = await Archive.RevokeAllAsync(User, 0, first.Id, Keep, None);

        (await Archive.ListAsync(User, None)).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            session => session.Id.ShouldBe(second.Id), session => session.Generation.ShouldBe(generation));
    }

    [Fact]
    public async Task Touch_MovesLastSeenAndExpiryForward_NeverBackward_AndLeavesEndedSessionsEnded()
    {
        var (live, ended) = (await AddedAsync(1000), await AddedAsync(1000));
        await Archive.RevokeAsync(User, ended.Id, Keep, None);
        var later = live.LastSeenAt.AddMinutes(5);

        await Archive.TouchAsync(
            [
                new(User, live.Id, later, later.AddHours(1)), new(User, ended.Id, later, later.AddHours(1)),
                new(User, NewId(), later, later.AddHours(1)),
            ],
            None);
        await Archive.TouchAsync([new(User, live.Id, live.LastSeenAt, live.ExpiresAt)], None);

        var found = (await Archive.ListAsync(User, None)).ShouldHaveSingleItem();
        found.Id.ShouldBe(live.Id);
        found.LastSeenAt.ShouldBe(later);
        found.ExpiresAt.ShouldBe(later.AddHours(1));
    }

    [Fact]
    public async Task Erase_LeavesNothingButThatTheSessionsEnded()
    {
        var sessions = new[] { await AddedAsync(1000), await AddedAsync(1000) };

        (await Archive.EraseAsync(User, Keep, None)).ShouldBe(2);
        (await Archive.EraseAsync(User, Keep, None)).ShouldBe(0);

        (await Archive.ListAsync(User, None)).ShouldBeEmpty();
        (await Archive.AddAsync(sessions[0], [], None)).ShouldBeFalse();
    }

    [Fact]
    public async Task Changes_NameEveryGenerationAndEndSinceATime()
    {
        var before = Now().AddSeconds(-1);
        var (revoked, rotated, live) = (await AddedAsync(1000), await AddedAsync(1000), await AddedAsync(1000));
        await Archive.RevokeAsync(User, revoked.Id, Keep, None);
        var next = rotated with { Id = NewId() };
        await RotateAsync(rotated, next, Grace);
        // Begun only: it may live on in Redis.
        await Archive.BeginRotationAsync(User, live.Id, Grace, None);

        var changes = await Archive.ChangesSinceAsync(before, None).Where(change => change.User == User).ToListAsync();

        changes.Where(change => change.Generation is not null).ShouldHaveSingleItem().Generation.ShouldBe(1000);
        changes.Where(change => change.Generation is null).Select(change => (change.Ended, change.Successor)).ShouldBe([(revoked.Id, null), (rotated.Id, next.Id)]);
        changes[0].Generation.ShouldNotBeNull("generations come first");
        (await Archive.ChangesSinceAsync(Now().AddHours(1), None).Where(change => change.User == User).ToListAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task DeleteExpired_TakesWhatIsOver_InBatches_AndNothingElse()
    {
        var live = await AddedAsync(1000);
        foreach (var _ in Enumerable.Range(0, 5))
        {
            await Archive.AddAsync(NewSession(1000) with { ExpiresAt = Now().AddHours(-2), AbsoluteExpiresAt = Now().AddHours(-2) }, [], None);
        }

        var remembered = await AddedAsync(1000);
        await Archive.RevokeAsync(User, remembered.Id, Keep, None);

        (await Archive.CountExpiredAsync(None)).ShouldBeGreaterThanOrEqualTo(5);
        (await Archive.DeleteExpiredAsync(2, None)).ShouldBe(2);
        while (await Archive.DeleteExpiredAsync(100, None) > 0)
        {
        }

        (await Archive.CountExpiredAsync(None)).ShouldBe(0);
        (await Archive.FindAsync(User, live.Id, None)).ShouldNotBeNull();
        (await Archive.AddAsync(remembered, [], None)).ShouldBeFalse("the end of a session is remembered as long as it could have lived");
        (await Archive.GetGenerationAsync(User, None)).ShouldBe(1000);
    }

    [Fact]
    public async Task Forget_TakesAddressAndUserAgentOut_OnceTheirTimeIsOver_AndLeavesTheRest()
    {
        var old = NewSession(1000) with { IpAddress = IPAddress.Loopback, UserAgent = "Browser", DeviceName = "Phone" };
        var fresh = old with { Id = NewId(), CreatedAt = Now() };
        await Archive.AddAsync(old, [], None);
        await Archive.AddAsync(fresh, [], None);
        await Archive.AddAsync(NewSession(1000), [], None);
        var life = TimeSpan.FromMinutes(1);

        (await Archive.CountForgettableAsync(life, None)).ShouldBe(1);
        (await Archive.ForgetAsync(life, 100, None)).ShouldBe(1);

        var stripped = (await Archive.FindAsync(User, old.Id, None)).ShouldNotBeNull();
        stripped.ShouldBe(old with { IpAddress = null, UserAgent = null, Claims = stripped.Claims });
        (await Archive.FindAsync(User, fresh.Id, None)).ShouldNotBeNull().UserAgent.ShouldBe("Browser");
        (await Archive.CountForgettableAsync(life, None)).ShouldBe(0);
        (await Archive.ForgetAsync(life, 100, None)).ShouldBe(0);
    }

    [Fact]
    public async Task ParallelWritesAboutOneUser_LeaveNothingFromBeforeTheLastRevokeAll()
    {
        await AddedAsync(1000);
        await Parallel.ForAsync(0, 24, async (i, token) =>
        {
            var generation = await Archive.GetGenerationAsync(User, token) ?? 1000;
            var session = NewSession(generation);
            await Archive.AddAsync(session, [], token);
            await Archive.TouchAsync([new(User, session.Id, session.LastSeenAt.AddSeconds(1), session.ExpiresAt)], token);
            if (i % 3 == 0)
            {
                await Archive.RevokeAllAsync(User, 0, session.Id, Keep, token);
            }
            else
            {
                await Archive.RevokeAsync(User, session.Id, Keep, token);
            }
        });

        var last = await Archive.RevokeAllAsync(User, 0, null, Keep, None);

        (await Archive.ListAsync(User, None)).ShouldBeEmpty();
        (await Archive.GetGenerationAsync(User, None)).ShouldBe(last);
    }

    private static SessionId NewId() => SessionToken.Create(UserReference.Of("any")).Id;

    private static long Microseconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() * 1000;

    // Whole milliseconds, as Redis's scripts write them.
    private static DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());

    private Session NewSession(long generation)
    {
        var now = Now();
        return new Session
        {
            Id = NewId(),
            UserId = userId,
            CreatedAt = now.AddMinutes(-2),
            LastSeenAt = now,
            AuthenticatedAt = now.AddMinutes(-2),
            ExpiresAt = now.AddHours(24),
            AbsoluteExpiresAt = now.AddDays(7),
            SlidingExpiration = TimeSpan.FromHours(24),
            Generation = generation,
        };
    }

    private async Task<Session> AddedAsync(long generation)
    {
        var session = NewSession(generation);
        (await Archive.AddAsync(session, [], None)).ShouldBeTrue();
        return session;
    }

    private async Task RotateAsync(Session old, Session rotated, TimeSpan grace)
    {
        await Archive.BeginRotationAsync(User, old.Id, grace, None);
        (await Archive.CompleteRotationAsync(old.Id, rotated, grace, None)).ShouldBeTrue();
    }
}

/// <summary>The contract on PostgreSQL.</summary>
public sealed class PostgresSessionArchiveTests(PostgresFixture postgres) : SessionArchiveContract, IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private ArchiveDatabase database = null!;

    protected override ISessionArchive Archive => new PostgresSessionArchive(database);

    public async Task InitializeAsync() => (_, database) = await ArchiveDatabases.CreateAsync(postgres.Server);

    public async Task DisposeAsync() => await database.DisposeAsync();
}

/// <summary>The contract on the twin in memory.</summary>
public sealed class InMemorySessionArchiveTests : SessionArchiveContract
{
    protected override ISessionArchive Archive { get; } = new InMemorySessionArchive(TimeProvider.System);
}
