using System.Collections.Concurrent;
using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>The contract in memory, on the real clock, because the suite waits for lives to end.</summary>
public sealed class MemorySessionStoreContractTests : SessionStoreContract, IDisposable
{
    private readonly MemoryUsers users = new(new MemoryOptions(), TimeProvider.System);
    private readonly MemorySessions sessions;

    public MemorySessionStoreContractTests() => sessions = new MemorySessions(users, new MemoryOptions(), TimeProvider.System);

    public void Dispose()
    {
        sessions.Dispose();
        users.Dispose();
    }

    protected override ISessionStore NewStore(SessionOptions options) => new InMemorySessionStore(users, sessions, new StoreHarness.OptionsMonitorStub(options));
}

/// <summary>What only memory does: a clock that is moved, and a cap.</summary>
public sealed class InMemorySessionStoreTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly ManualTimeProvider clock = new();

    [Fact]
    public async Task Create_IsRefusedAsUnavailable_WhenTheStoreIsAtItsCap_AndWorksAgainWhenSessionsHaveExpired()
    {
        var store = NewStore(new MemoryOptions { MaxEntriesPerKind = 3 }, new SessionOptions { SlidingExpiration = TimeSpan.FromHours(1) }, out var sessions);
        var first = await store.CreateAsync(new NewSession { UserId = "a" }, None);
        await store.CreateAsync(new NewSession { UserId = "b" }, None);
        await store.CreateAsync(new NewSession { UserId = "b" }, None);

        (await Should.ThrowAsync<StorageUnavailableException>(() => store.CreateAsync(new NewSession { UserId = "a" }, None)))
            .Reason.ShouldBe(UnavailableReason.OutOfMemory);
        await Should.ThrowAsync<StorageUnavailableException>(() => store.CreateAsync(new NewSession { UserId = "c" }, None));

        sessions.Count.ShouldBe(3);
        (await store.ValidateAsync(first.Token.Value, None)).IsValid.ShouldBeTrue();
        (await store.CountAsync("c", None)).ShouldBe(0);
        clock.Advance(TimeSpan.FromHours(1));
        (await store.CreateAsync(new NewSession { UserId = "a" }, None)).Token.ShouldNotBeNull();
    }

    [Fact]
    public async Task Session_IsSweptFromMemory_WhenNobodyReadsIt()
    {
        var store = NewStore(new MemoryOptions(), new SessionOptions(), out var sessions);
        await store.CreateAsync(new NewSession { UserId = "a", SlidingExpiration = TimeSpan.FromSeconds(90) }, None);
        clock.Advance(TimeSpan.FromSeconds(89));
        sessions.Count.ShouldBe(1);

        clock.Advance(TimeSpan.FromSeconds(31));

        sessions.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Validate_SlidesTheExpiry_AndNeverBeyondTheAbsoluteOne()
    {
        var store = NewStore(
            new MemoryOptions(), new SessionOptions { SlidingExpiration = TimeSpan.FromHours(2), AbsoluteExpiration = TimeSpan.FromHours(5) }, out _);
        var issued = await store.CreateAsync(new NewSession { UserId = "a" }, None);
        for (var hour = 1; hour < 5; hour++)
        {
            clock.Advance(TimeSpan.FromHours(1));
            var seen = (await store.ValidateAsync(issued.Token.Value, None)).Session.ShouldNotBeNull();
            seen.ExpiresAt.ShouldBe(issued.Session.CreatedAt + TimeSpan.FromHours(Math.Min(hour + 2, 5)));
        }

        clock.Advance(TimeSpan.FromHours(1));

        (await store.ValidateAsync(issued.Token.Value, None)).Denial.ShouldBe(SessionDenial.NotFound);
    }

    [Fact]
    public async Task RevokeAll_OfManyAtOnce_LeavesNoSessionFromBefore()
    {
        var store = NewStore(new MemoryOptions(), new SessionOptions { MaxSessionsPerUser = 1000 }, out _);
        var before = new ConcurrentBag<string>();
        await Parallel.ForAsync(0, 200, async (_, token) => before.Add((await store.CreateAsync(new NewSession { UserId = "a" }, token)).Token.Value));

        await Parallel.ForAsync(0, 8, async (_, token) => await store.RevokeAllAsync("a", null, token));

        foreach (var token in before)
        {
            (await store.ValidateAsync(token, None)).IsValid.ShouldBeFalse();
        }
    }

    private InMemorySessionStore NewStore(MemoryOptions memory, SessionOptions options, out MemorySessions sessions)
    {
        var users = new MemoryUsers(memory, clock);
        sessions = new MemorySessions(users, memory, clock);
        return new InMemorySessionStore(users, sessions, new StoreHarness.OptionsMonitorStub(options));
    }
}
