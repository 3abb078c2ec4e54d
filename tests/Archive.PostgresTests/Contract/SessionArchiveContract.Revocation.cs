namespace Maintenance.Archive.PostgresTests.Contract;

/// <content>Log-outs, of one session and of all, and generations.</content>
public abstract partial class SessionArchiveContract
{
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
}
