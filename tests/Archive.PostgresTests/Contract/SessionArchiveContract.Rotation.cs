using Maintenance.Storage.Sessions;

namespace Maintenance.Archive.PostgresTests.Contract;

/// <content>Rotation, and what an old id answers for meanwhile.</content>
public abstract partial class SessionArchiveContract
{
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
}
