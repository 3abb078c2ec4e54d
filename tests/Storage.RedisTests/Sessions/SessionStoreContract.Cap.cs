using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <content>The cap on the sessions of one user.</content>
public abstract partial class SessionStoreContract
{
    [Fact]
    public async Task Cap_EvictsTheSessionThatWouldExpireFirst()
    {
        var store = NewStore(new SessionOptions { MaxSessionsPerUser = 3 });
        var user = NewUser();
        var longest = await store.CreateAsync(new NewSession { UserId = user, SlidingExpiration = TimeSpan.FromDays(5) }, None);
        var shortest = await store.CreateAsync(new NewSession { UserId = user, SlidingExpiration = TimeSpan.FromHours(1) }, None);
        var middle = await LogInAsync(store, user);

        var fourth = await LogInAsync(store, user);

        fourth.EvictedSessions.ShouldBe(1);
        (await store.ValidateAsync(shortest.Token.Value, None)).Denial.ShouldBe(SessionDenial.NotFound);
        foreach (var issued in new[] { longest, middle, fourth })
        {
            (await store.ValidateAsync(issued.Token.Value, None)).IsValid.ShouldBeTrue();
        }

        (await store.CountAsync(user, None)).ShouldBe(3);
    }

    [Fact]
    public async Task Cap_LoweredLater_TakesEffectAtTheNextLogIn()
    {
        var user = NewUser();
        var generous = NewStore(new SessionOptions());
        for (var i = 0; i < 6; i++)
        {
            await LogInAsync(generous, user);
        }

        var strict = NewStore(new SessionOptions { MaxSessionsPerUser = 2 });

        (await LogInAsync(strict, user)).EvictedSessions.ShouldBe(5);
        (await strict.CountAsync(user, None)).ShouldBe(2);
    }
}
