using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <content>Generations, and tokens that are made before their session.</content>
public abstract partial class SessionStoreContract
{
    [Fact]
    public async Task Generation_IsThatOfTheSessions_AndThereIsNoneBefore()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();

        (await store.GetGenerationAsync(user, None)).ShouldBeNull();
        var issued = await store.CreateAsync(new NewSession { UserId = user }, None);

        (await store.GetGenerationAsync(user, None)).ShouldBe(issued.Session.Generation);
        await store.RevokeAsync(user, issued.Token.Id, None);
        (await store.GetGenerationAsync(user, None)).ShouldBe(issued.Session.Generation);
        (await store.CreateAsync(new NewSession { UserId = user }, None)).Session.Generation.ShouldBe(issued.Session.Generation);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Generation_ChangesWithEachLogOutEverywhere_WhateverItEnds(bool keep)
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var issued = await store.CreateAsync(new NewSession { UserId = user }, None);
        var seen = new List<long?> { await store.GetGenerationAsync(user, None) };

        for (var i = 0; i < 3; i++)
        {
            await store.RevokeAllAsync(user, keep ? issued.Token.Id : null, None);
            seen.Add(await store.GetGenerationAsync(user, None));
        }

        seen.ShouldBeUnique();
        seen.ShouldAllBe(generation => generation != null);
        (await store.CreateAsync(new NewSession { UserId = user }, None)).Session.Generation.ShouldBe(seen[^1]!.Value);
    }

    [Fact]
    public async Task Token_MadeBefore_IsTheSessions_Once()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var token = SessionToken.Create(UserReference.Of(user));

        var issued = await store.CreateAsync(new NewSession { UserId = user, DeviceName = "first", Token = token }, None);
        var again = await Should.ThrowAsync<ArgumentException>(() => store.CreateAsync(new NewSession { UserId = user, DeviceName = "second", Token = token }, None));

        issued.Token.Value.ShouldBe(token.Value);
        again.Message.ShouldNotContain(token.Value);
        (await store.ValidateAsync(token.Value, None)).Session.ShouldNotBeNull().DeviceName.ShouldBe("first");
        (await store.ListAsync(user, None)).ShouldHaveSingleItem().Id.ShouldBe(token.Id);
    }

    [Fact]
    public async Task Token_OfAnotherUser_IsRefused()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();

        await Should.ThrowAsync<ArgumentException>(
            () => store.CreateAsync(new NewSession { UserId = user, Token = SessionToken.Create(UserReference.Of(NewUser())) }, None));

        (await store.CountAsync(user, None)).ShouldBe(0);
    }
}
