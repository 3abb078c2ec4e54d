using System.Diagnostics;
using System.Net;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>What every <see cref="ISessionStore"/> must do. A derived class says on what; each test has users of its own.</summary>
public abstract partial class SessionStoreContract
{
    private static readonly CancellationToken None = CancellationToken.None;

    /// <summary>A store with these options, over the same data as every other of the class. The derived class ends it.</summary>
    protected abstract ISessionStore NewStore(SessionOptions options);

    [Fact]
    public async Task Validate_ReturnsWhatCreateStored()
    {
        var store = NewStore(new SessionOptions());
        var session = new NewSession
        {
            UserId = "jürgen@例え.jp " + NewUser(),
            IpAddress = IPAddress.Parse("::ffff:192.0.2.7"),
            UserAgent = "Mozilla/5.0 😀",
            DeviceName = "Küche",
            Claims = new Dictionary<string, string> { ["role"] = "admin", [""] = "", ["名"] = "値" },
        };

        var issued = await store.CreateAsync(session, None);
        var validation = await store.ValidateAsync(issued.Token.Value, None);

        validation.Denial.ShouldBe(SessionDenial.None);
        var read = validation.Session.ShouldNotBeNull();
        read.ShouldBe(issued.Session with { Claims = read.Claims });
        read.Claims.ShouldBe(session.Claims, ignoreOrder: true);
        read.UserId.ShouldBe(session.UserId);
        read.IpAddress.ShouldBe(IPAddress.Parse("192.0.2.7"));
        read.UserAgent.ShouldBe(session.UserAgent);
        read.DeviceName.ShouldBe(session.DeviceName);
        read.Id.ShouldBe(issued.Token.Id);
        (read.ExpiresAt - read.CreatedAt).ShouldBe(TimeSpan.FromHours(24));
        (read.AbsoluteExpiresAt - read.CreatedAt).ShouldBe(TimeSpan.FromDays(7));
        issued.EvictedSessions.ShouldBe(0);
    }

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
    public async Task Create_StoresNothing_WhenAFieldIsOutOfItsBounds()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        NewSession[] wrong =
        [
            new() { UserId = "" },
            new() { UserId = new string('x', 257) },
            new() { UserId = user, DeviceName = new string('d', 129) },
            new() { UserId = user, Claims = new Dictionary<string, string> { ["a"] = new('x', 4097) } },
            new() { UserId = user, SlidingExpiration = TimeSpan.Zero },
            new() { UserId = user, AbsoluteExpiration = TimeSpan.FromDays(401) },
        ];

        foreach (var session in wrong)
        {
            await Should.ThrowAsync<ArgumentException>(() => store.CreateAsync(session, None));
        }

        (await store.CountAsync(user, None)).ShouldBe(0);
    }

    [Fact]
    public async Task Validate_DeniesWhatWasNeverIssued()
    {
        var store = NewStore(new SessionOptions());
        var mine = await LogInAsync(store, NewUser());
        var other = await LogInAsync(store, NewUser());
        var (user, secret) = (mine.Token.Value[..16], mine.Token.Value[17..]);

        foreach (var text in new[] { null, "", "x", secret, $"{user}:{secret}", mine.Token.Value + "A", mine.Token.Value[..59] + "é" })
        {
            (await store.ValidateAsync(text, None)).Denial.ShouldBe(SessionDenial.Malformed);
        }

        (await store.ValidateAsync(SessionToken.Create(mine.Token.User).Value, None)).Denial.ShouldBe(SessionDenial.NotFound);
        (await store.ValidateAsync($"{other.Token.Value[..16]}.{secret}", None)).Denial.ShouldBe(SessionDenial.NotFound);
        (await store.ValidateAsync($"{user}.{secret[..42]}{(secret[42] == 'A' ? 'B' : 'A')}", None)).IsValid.ShouldBeFalse();
        (await store.ValidateAsync(mine.Token.Value, None)).IsValid.ShouldBeTrue();
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

            if (longest < sliding)
            {
                Stopwatch.GetElapsedTime(asked).ShouldBeGreaterThan(absolute - TimeSpan.FromSeconds(0.5));
                return;
            }

            // The machine stood still for so long that no request came, and the session ended rightly.
            attempt.ShouldBeLessThan(10, "no attempt without a stall");
        }
    }

    [Fact]
    public async Task Get_ReadsWithoutRenewing_AndOnlyTheUsersOwn()
    {
        var store = NewStore(new SessionOptions { RenewalInterval = TimeSpan.Zero });
        var user = NewUser();
        var issued = await LogInAsync(store, user);

        (await store.GetAsync(user, issued.Token.Id, None)).ShouldNotBeNull().LastSeenAt.ShouldBe(issued.Session.LastSeenAt);
        (await store.GetAsync(NewUser(), issued.Token.Id, None)).ShouldBeNull();
        (await store.GetAsync(user, SessionToken.Create(issued.Token.User).Id, None)).ShouldBeNull();
        (await store.GetAsync(user, default, None)).ShouldBeNull();
    }

    [Fact]
    public async Task List_ShowsTheUsersLiveSessions_MostRecentlySeenFirst()
    {
        var store = NewStore(new SessionOptions { RenewalInterval = TimeSpan.Zero });
        var user = NewUser();
        var first = await LogInAsync(store, user);
        var second = await LogInAsync(store, user);
        var gone = await LogInAsync(store, user);
        await LogInAsync(store, NewUser());
        await store.RevokeAsync(user, gone.Token.Id, None);
        await Eventually.TrueAsync(async () => (await store.ValidateAsync(first.Token.Value, None)).Session!.LastSeenAt > second.Session.LastSeenAt);

        (await store.ListAsync(user, None)).Select(session => session.Id).ShouldBe([first.Token.Id, second.Token.Id]);
        (await store.CountAsync(user, None)).ShouldBe(2);
        (await store.ListAsync(NewUser(), None)).ShouldBeEmpty();
    }

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

    [Fact]
    public async Task Create_LosesNoSession_OfTwoHundredParallelLogIns()
    {
        var store = NewStore(new SessionOptions { MaxSessionsPerUser = 500 });
        var user = NewUser();

        var issued = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => LogInAsync(store, user)));

        (await store.ListAsync(user, None)).Select(session => session.Id).ShouldBe(issued.Select(i => i.Token.Id), ignoreOrder: true);
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

    [Fact]
    public async Task EveryMethod_HonoursACancelledToken()
    {
        var store = NewStore(new SessionOptions());
        var user = NewUser();
        var issued = await LogInAsync(store, user);
        var cancelled = new CancellationToken(canceled: true);
        Func<Task>[] calls =
        [
            () => store.CreateAsync(new NewSession { UserId = user }, cancelled),
            () => store.ValidateAsync(issued.Token.Value, cancelled),
            () => store.GetAsync(user, issued.Token.Id, cancelled),
            () => store.ListAsync(user, cancelled),
            () => store.CountAsync(user, cancelled),
            () => store.RevokeAsync(user, issued.Token.Id, cancelled),
            () => store.RevokeAllAsync(user, null, cancelled),
            () => store.RotateAsync(issued.Token.Value, new SessionChanges(), cancelled),
        ];

        foreach (var call in calls)
        {
            await Should.ThrowAsync<OperationCanceledException>(call);
        }

        (await store.ValidateAsync(issued.Token.Value, None)).IsValid.ShouldBeTrue();
        (await store.CountAsync(user, None)).ShouldBe(1);
    }

    /// <summary>A user that no other test knows.</summary>
    protected static string NewUser() => Guid.NewGuid().ToString("D");

    private static Task<IssuedSession> LogInAsync(ISessionStore store, string user) => store.CreateAsync(new NewSession { UserId = user }, None);
}
