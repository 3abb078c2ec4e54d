using System.Diagnostics;
using System.Net;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>Rotation, and what the old id answers for meanwhile.</summary>
public abstract partial class SessionStoreContract
{
    [Fact]
    public async Task Rotate_GivesANewToken_AndKeepsWhatItIsNotToldToChange()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var first = await store.CreateAsync(
            new NewSession { UserId = user, DeviceName = "d", UserAgent = "ua", IpAddress = IPAddress.IPv6Loopback, Claims = new Dictionary<string, string> { ["a"] = "1" } }, None);

        var second = (await store.RotateAsync(first.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        var third = (await store.RotateAsync(second.Token.Value, new SessionChanges { Claims = new Dictionary<string, string> { ["b"] = "2" } }, None)).Issued.ShouldNotBeNull();

        second.Session.Claims["a"].ShouldBe("1");
        third.Session.Claims.ShouldHaveSingleItem().ShouldBe(new KeyValuePair<string, string>("b", "2"));
        var read = (await store.ValidateAsync(third.Token.Value, None)).Session.ShouldNotBeNull();
        read.ShouldBe(third.Session with { Claims = read.Claims });
        read.ShouldBe(first.Session with { Id = third.Token.Id, Claims = read.Claims, LastSeenAt = read.LastSeenAt, ExpiresAt = read.ExpiresAt });
        new[] { first, second, third }.Select(issued => issued.Token.Value[17..]).Distinct().Count().ShouldBe(3);
        (await store.ListAsync(user, None)).ShouldHaveSingleItem().Id.ShouldBe(third.Token.Id);
        (await store.GetAsync(user, first.Token.Id, None)).ShouldBeNull();
    }

    [Fact]
    public async Task Rotate_SetsTheTimeOfAuthentication_InFormat2()
    {
        var store = NewStore(new SessionOptions { RecordFormat = 2 });
        var first = await LogInAsync(store, NewUser());
        await Eventually.TrueAsync(async () => (await LogInAsync(store, NewUser())).Session.CreatedAt > first.Session.CreatedAt);

        var same = (await store.RotateAsync(first.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        var stepped = (await store.RotateAsync(same.Token.Value, new SessionChanges { Reauthenticated = true }, None)).Issued.ShouldNotBeNull();

        same.Session.AuthenticatedAt.ShouldBe(first.Session.CreatedAt);
        stepped.Session.AuthenticatedAt.ShouldBe(stepped.Session.LastSeenAt);
        stepped.Session.AuthenticatedAt.ShouldBeGreaterThan(first.Session.CreatedAt);
        stepped.Session.CreatedAt.ShouldBe(first.Session.CreatedAt);
    }

    [Fact]
    public async Task RotatedToken_AnswersForTheGrace_ThenNoMore()
    {
        // Two graces: one that no busy machine outlasts, and one that is soon over.
        var (store, brief) = (NewStore(new SessionOptions { RotationGrace = TimeSpan.FromMinutes(1) }), NewStore(new SessionOptions { RotationGrace = TimeSpan.FromMilliseconds(300) }));
        var first = await LogInAsync(store, NewUser());
        var second = (await store.RotateAsync(first.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();

        (await store.ValidateAsync(first.Token.Value, None)).Session.ShouldNotBeNull().Id.ShouldBe(second.Token.Id);
        var third = (await brief.RotateAsync(second.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        await Eventually.TrueAsync(async () => !(await brief.ValidateAsync(second.Token.Value, None)).IsValid);

        (await store.ValidateAsync(third.Token.Value, None)).IsValid.ShouldBeTrue();
    }

    [Fact]
    public async Task RotatedToken_GivesOutNoSecondToken_AndFollowsFurtherRotations()
    {
        var store = NewStore(new SessionOptions());
        var first = await LogInAsync(store, NewUser());
        var last = first;
        for (var i = 0; i < 3; i++)
        {
            last = (await store.RotateAsync(last.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        }

        (await store.RotateAsync(first.Token.Value, new SessionChanges(), None)).ShouldBe(new SessionRotation(RotationOutcome.AlreadyRotated));
        (await store.ValidateAsync(first.Token.Value, None)).Session.ShouldNotBeNull().Id.ShouldBe(last.Token.Id);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Revoke_ByTheOldIdWithinTheGrace_EndsTheSession(int rotations)
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var first = await LogInAsync(store, user);
        var last = first;
        for (var i = 0; i < rotations; i++)
        {
            last = (await store.RotateAsync(last.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        }

        (await store.RevokeAsync(user, first.Token.Id, None)).ToBoolean().ShouldBeTrue();

        (await store.ValidateAsync(first.Token.Value, None)).IsValid.ShouldBeFalse();
        (await store.ValidateAsync(last.Token.Value, None)).IsValid.ShouldBeFalse();
        (await store.CountAsync(user, None)).ShouldBe(0);
    }

    [Fact]
    public async Task Revoke_OfTheNewId_EndsTheOldOnesGraceToo()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var first = await LogInAsync(store, user);
        var second = (await store.RotateAsync(first.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();

        (await store.RevokeAsync(user, second.Token.Id, None)).ToBoolean().ShouldBeTrue();

        (await store.ValidateAsync(first.Token.Value, None)).IsValid.ShouldBeFalse();
    }

    [Fact]
    public async Task RevokeAll_WithinTheGrace_EndsTheOldIdAndTheNew()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var first = await LogInAsync(store, user);
        var second = (await store.RotateAsync(first.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();

        await store.RevokeAllAsync(user, null, None);

        (await store.ValidateAsync(first.Token.Value, None)).IsValid.ShouldBeFalse();
        (await store.ValidateAsync(second.Token.Value, None)).IsValid.ShouldBeFalse();
        (await store.RotateAsync(first.Token.Value, new SessionChanges(), None)).Outcome.ShouldBe(RotationOutcome.Denied);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task RevokeAll_ExceptAnOldIdWithinTheGrace_KeepsTheSessionItStandsFor(int rotations)
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var first = await LogInAsync(store, user);
        var last = first;
        for (var i = 0; i < rotations; i++)
        {
            last = (await store.RotateAsync(last.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        }

        (await store.RevokeAllAsync(user, first.Token.Id, None)).KeptSession.ShouldBeTrue();

        (await store.ValidateAsync(last.Token.Value, None)).IsValid.ShouldBeTrue();
    }

    [Fact]
    public async Task Rotate_IsDenied_ForATokenThatIsNotValid()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var revoked = await LogInAsync(store, user);
        await store.RevokeAsync(user, revoked.Token.Id, None);

        (await store.RotateAsync(null, new SessionChanges(), None)).Denial.ShouldBe(SessionDenial.Malformed);
        (await store.RotateAsync(revoked.Token.Value, new SessionChanges(), None)).ShouldBe(new SessionRotation(RotationOutcome.Denied, null, SessionDenial.NotFound));
        (await store.CountAsync(user, None)).ShouldBe(0);
    }

    [Fact]
    public async Task Rotate_NeverCrossesUsers()
    {
        var store = NewStore(new SessionOptions());
        var mine = await LogInAsync(store, NewUser());
        var otherId = NewUser();
        var other = await LogInAsync(store, otherId);

        var rotation = await store.RotateAsync($"{other.Token.Value[..16]}.{mine.Token.Value[17..]}", new SessionChanges(), None);

        rotation.Outcome.ShouldBe(RotationOutcome.Denied);
        (await store.CountAsync(otherId, None)).ShouldBe(1);
        (await store.ValidateAsync(mine.Token.Value, None)).IsValid.ShouldBeTrue();
    }

    [Fact]
    public async Task Rotate_HasExactlyOneWinner_OfTwoHundred()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var first = await LogInAsync(store, user);

        var rotations = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => store.RotateAsync(first.Token.Value, new SessionChanges(), None)));

        var winner = rotations.Where(rotation => rotation.Outcome == RotationOutcome.Rotated).ShouldHaveSingleItem();
        rotations.Count(rotation => rotation.Outcome == RotationOutcome.AlreadyRotated).ShouldBe(199);
        (await store.ListAsync(user, None)).ShouldHaveSingleItem().Id.ShouldBe(winner.Issued!.Token.Id);
    }
}
