using System.Net;
using Maintenance.Storage.Redis;

namespace Maintenance.Archive.PostgresTests.Contract;

/// <content>Sessions as they come, are found, touched and erased.</content>
public abstract partial class SessionArchiveContract
{
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
}
