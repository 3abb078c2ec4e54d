using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Worker.RedisTests.Hosting;

/// <summary>Live sessions, and an expired member in the index of each user, for a cleanup to find.</summary>
internal sealed class DamagedStore : IAsyncDisposable
{
    private const int Users = 80;

    private static readonly string Expired = new('x', 22);

    private readonly RedisServer server;
    private readonly SweepHarness sweep;
    private readonly List<IssuedSession> live = [];

    private DamagedStore(RedisServer server)
    {
        this.server = server;
        sweep = new SweepHarness(server);
    }

    public static async Task<DamagedStore> PlantAsync(RedisServer server)
    {
        var store = new DamagedStore(server);
        store.live.AddRange((await store.sweep.PopulateAsync(Users)).SelectMany(sessions => sessions));
        foreach (var index in store.Indexes())
        {
            await server.ExecuteAsync("ZADD", index, "1000", Expired);
        }

        return store;
    }

    /// <summary>Returns when a cleanup has dropped some of the expired members, and not all.</summary>
    public async Task BegunAsync()
    {
        await Eventually.TrueAsync(async () => await LeftAsync() < Users, TimeSpan.FromSeconds(120));
        (await LeftAsync()).ShouldBePositive("the run must still be at work; give it less to spend");
    }

    /// <summary>Changes every index: each user logs in once more.</summary>
    public async Task LogInAgainAsync()
    {
        foreach (var userId in live.Select(session => session.Session.UserId).Distinct(StringComparer.Ordinal).ToList())
        {
            live.Add(await sweep.LogInAsync(userId));
        }
    }

    /// <summary>No expired member is left, and no live session was wronged.</summary>
    public async Task ShouldBeCleanAsync()
    {
        (await LeftAsync()).ShouldBe(0);
        foreach (var session in live)
        {
            (await sweep.IsValidAsync(session)).ShouldBeTrue();
        }

        (await server.KeysAsync("session:*")).Count.ShouldBe(live.Count);
        await sweep.ShouldAgreeAsync();
    }

    public ValueTask DisposeAsync() => sweep.DisposeAsync();

    private IEnumerable<string> Indexes() => live.Select(session => sweep.Index(session)).Distinct(StringComparer.Ordinal);

    private async Task<int> LeftAsync() =>
        (await server.ExecuteManyAsync(Indexes().Select(index => new[] { "ZSCORE", index, Expired }))).Count(score => score is not null);
}
