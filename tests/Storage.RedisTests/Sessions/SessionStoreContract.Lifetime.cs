using System.Diagnostics;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <content>How long a session lives, and what prolongs it.</content>
public abstract partial class SessionStoreContract
{
    [Fact]
    public async Task Create_GivesASessionTheLifetimesAskedFor()
    {
        var store = NewStore(new SessionOptions());

        var issued = await store.CreateAsync(
            new NewSession { UserId = NewUser(), SlidingExpiration = TimeSpan.FromDays(20), AbsoluteExpiration = TimeSpan.FromDays(30) }, None);

        var read = (await store.ValidateAsync(issued.Token.Value, None)).Session.ShouldNotBeNull();
        read.SlidingExpiration.ShouldBe(TimeSpan.FromDays(20));
        (read.ExpiresAt - read.CreatedAt).ShouldBe(TimeSpan.FromDays(20));
        (read.AbsoluteExpiresAt - read.CreatedAt).ShouldBe(TimeSpan.FromDays(30));
    }

    [Fact]
    public async Task Validate_RenewsNoMoreThanOnceInTheInterval()
    {
        var store = NewStore(new SessionOptions { RenewalInterval = TimeSpan.FromMinutes(1) });
        var issued = await LogInAsync(store, NewUser());

        for (var i = 0; i < 20; i++)
        {
            (await store.ValidateAsync(issued.Token.Value, None)).Session!.LastSeenAt.ShouldBe(issued.Session.LastSeenAt);
        }
    }

    [Fact]
    public async Task Validate_RenewsLastSeenAndExpiry_AfterTheInterval()
    {
        var store = NewStore(new SessionOptions { RenewalInterval = TimeSpan.FromMilliseconds(50) });
        var user = NewUser();
        var issued = await LogInAsync(store, user);

        await Eventually.TrueAsync(async () => (await store.ValidateAsync(issued.Token.Value, None)).Session!.LastSeenAt > issued.Session.LastSeenAt);

        var renewed = (await store.GetAsync(user, issued.Token.Id, None)).ShouldNotBeNull();
        (renewed.ExpiresAt - renewed.LastSeenAt).ShouldBe(TimeSpan.FromHours(24));
        renewed.AbsoluteExpiresAt.ShouldBe(issued.Session.AbsoluteExpiresAt);
        renewed.CreatedAt.ShouldBe(issued.Session.CreatedAt);
    }

    [Fact]
    public async Task Session_EndsAfterItsSlidingExpiry_WhenNoRequestComes()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var issued = await store.CreateAsync(new NewSession { UserId = user, SlidingExpiration = TimeSpan.FromSeconds(1) }, None);

        await Eventually.TrueAsync(async () => await store.CountAsync(user, None) == 0);

        (await store.ValidateAsync(issued.Token.Value, None)).Denial.ShouldBe(SessionDenial.NotFound);
        (await store.GetAsync(user, issued.Token.Id, None)).ShouldBeNull();
        (await store.RevokeAsync(user, issued.Token.Id, None)).ToBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task Session_LivesThroughRequests_AlsoWhenItsLifeIsShorterThanTheInterval_UntilItsAbsoluteExpiry()
    {
        var store = NewStore(new SessionOptions { RenewalInterval = TimeSpan.FromMinutes(1) });
        var (sliding, absolute) = (TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4));
        for (var attempt = 1; ; attempt++)
        {
            var asked = Stopwatch.GetTimestamp();
            var issued = await store.CreateAsync(new NewSession { UserId = NewUser(), SlidingExpiration = sliding, AbsoluteExpiration = absolute }, None);
            var answered = Stopwatch.GetTimestamp();
            var (last, longest) = (asked, TimeSpan.Zero);
            while (true)
            {
                var sent = Stopwatch.GetTimestamp();
                var valid = (await store.ValidateAsync(issued.Token.Value, None)).IsValid;
                // From the sending of the request before to the answer of this one: the two renewals are not further apart.
                var gap = Stopwatch.GetElapsedTime(last);
                (last, longest) = (sent, gap > longest ? gap : longest);
                if (!valid)
                {
                    break;
                }

                Stopwatch.GetElapsedTime(answered, sent).ShouldBeLessThan(absolute + TimeSpan.FromSeconds(0.5), "it was still valid then");
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }

            // A life this short is renewed at most once in half of it, so a request within the first half counts for nothing.
            if (longest < sliding / 2)
            {
                Stopwatch.GetElapsedTime(asked).ShouldBeGreaterThan(absolute - TimeSpan.FromSeconds(0.5));
                return;
            }

            // The machine stood still for so long that no request came, and the session ended rightly.
            attempt.ShouldBeLessThan(10, "no attempt without a stall");
        }
    }
}
