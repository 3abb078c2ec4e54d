using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <content>Log-outs, of one session and of all.</content>
public abstract partial class SessionStoreContract
{
    [Fact]
    public async Task Revoke_EndsOneSession_AndSaysWhetherThereWasOne()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var ended = await LogInAsync(store, user);
        var other = await LogInAsync(store, user);

        (await store.RevokeAsync(NewUser(), ended.Token.Id, None)).ToBoolean().ShouldBeFalse();
        (await store.RevokeAsync(user, default, None)).ToBoolean().ShouldBeFalse();
        (await store.ValidateAsync(ended.Token.Value, None)).IsValid.ShouldBeTrue();
        (await store.RevokeAsync(user, ended.Token.Id, None)).ToBoolean().ShouldBeTrue();
        (await store.RevokeAsync(user, ended.Token.Id, None)).ToBoolean().ShouldBeFalse();

        (await store.ValidateAsync(ended.Token.Value, None)).Denial.ShouldBe(SessionDenial.NotFound);
        (await store.ValidateAsync(other.Token.Value, None)).IsValid.ShouldBeTrue();
        (await store.CountAsync(user, None)).ShouldBe(1);
    }

    [Fact]
    public async Task RevokeAll_EndsEverySessionOfTheUser_AndLaterOnesLive()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var old = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => LogInAsync(store, user)));
        var stranger = await LogInAsync(store, NewUser());

        (await store.RevokeAllAsync(user, null, None)).ShouldBe(new RevokedSessions(5, false));
        (await store.RevokeAllAsync(user, null, None)).ShouldBe(new RevokedSessions(0, false));

        var fresh = await LogInAsync(store, user);
        foreach (var issued in old)
        {
            (await store.ValidateAsync(issued.Token.Value, None)).IsValid.ShouldBeFalse();
        }

        (await store.ValidateAsync(fresh.Token.Value, None)).IsValid.ShouldBeTrue();
        (await store.ValidateAsync(stranger.Token.Value, None)).IsValid.ShouldBeTrue();
        (await store.ListAsync(user, None)).ShouldHaveSingleItem().Id.ShouldBe(fresh.Token.Id);
    }

    [Fact]
    public async Task RevokeAll_KeepsTheExceptedSession_AsItWas()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var kept = await store.CreateAsync(new NewSession { UserId = user, DeviceName = "mine", Claims = new Dictionary<string, string> { ["a"] = "b" } }, None);
        var other = await LogInAsync(store, user);

        (await store.RevokeAllAsync(user, kept.Token.Id, None)).ShouldBe(new RevokedSessions(1, true));

        var read = (await store.ValidateAsync(kept.Token.Value, None)).Session.ShouldNotBeNull();
        read.ShouldBe(kept.Session with { Claims = read.Claims, Generation = read.Generation });
        read.Claims["a"].ShouldBe("b");
        (await store.ValidateAsync(other.Token.Value, None)).IsValid.ShouldBeFalse();
        (await store.ListAsync(user, None)).ShouldHaveSingleItem().Id.ShouldBe(kept.Token.Id);
    }

    [Fact]
    public async Task RevokeAll_KeepsNothing_WhenTheExceptedSessionIsNotTheUsers()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var mine = await LogInAsync(store, user);
        var strangers = await LogInAsync(store, NewUser());

        (await store.RevokeAllAsync(user, strangers.Token.Id, None)).ShouldBe(new RevokedSessions(1, false));

        (await store.ValidateAsync(mine.Token.Value, None)).IsValid.ShouldBeFalse();
        (await store.ValidateAsync(strangers.Token.Value, None)).IsValid.ShouldBeTrue();
    }

    [Fact]
    public async Task RevokeAll_AmongLogIns_LeavesEachSessionEitherListedOrDead()
    {
        var store = NewStore(new SessionOptions { MaxSessionsPerUser = 500 });
        var user = NewUser();
        var logIns = Enumerable.Range(0, 60).Select(_ => LogInAsync(store, user)).ToList();
        var revocation = store.RevokeAllAsync(user, null, None);
        logIns.AddRange(Enumerable.Range(0, 60).Select(_ => LogInAsync(store, user)));

        var issued = await Task.WhenAll(logIns);
        await revocation;

        var listed = (await store.ListAsync(user, None)).Select(session => session.Id).ToHashSet();
        foreach (var one in issued)
        {
            (await store.ValidateAsync(one.Token.Value, None)).IsValid.ShouldBe(listed.Contains(one.Token.Id));
        }
    }
}
