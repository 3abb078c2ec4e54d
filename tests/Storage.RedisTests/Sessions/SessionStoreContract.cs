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
    public async Task Create_LosesNoSession_OfTwoHundredParallelLogIns()
    {
        var store = NewStore(new SessionOptions { MaxSessionsPerUser = 500 });
        var user = NewUser();

        var issued = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => LogInAsync(store, user)));

        (await store.ListAsync(user, None)).Select(session => session.Id).ShouldBe(issued.Select(i => i.Token.Id), ignoreOrder: true);
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
