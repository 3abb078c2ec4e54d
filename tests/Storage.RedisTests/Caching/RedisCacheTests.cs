using Maintenance.Storage.Caching;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Caching;

public sealed class RedisCacheTests(RedisFixture redis) : CacheContract, IClassFixture<RedisFixture>
{
    private readonly Source source = new();

    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(redis.Server, settings);

    [Fact]
    public async Task TwoHosts_LoadOnce()
    {
        await using var here = Bed(("Storage:Cache:LeaseWait", "00:00:30"));
        await using var there = Bed(("Storage:Cache:LeaseWait", "00:00:30"));
        var key = NewKey();
        var held = source.Hold();
        var first = source.GetAsync(here, key);
        await Eventually.TrueAsync(() => source.Loads == 1);
        var second = source.GetAsync(there, key);
        (await there.Get<ICacheStore>().ReadAsync(key, None)).State.ShouldBe(CacheState.Held);
        held.SetResult();

        (await first).ShouldBe(new CacheResult<Plan>(source.Value, CacheSource.Loaded));
        (await second).ShouldBe(new CacheResult<Plan>(source.Value, CacheSource.Store));
        source.Loads.ShouldBe(1);
    }

    [Fact]
    public async Task AnotherHostsLoad_IsAwaitedForAWhileOnly()
    {
        await using var here = Bed();
        await using var there = Bed(("Storage:Cache:LeaseWait", "00:00:00.1"));
        var key = NewKey();
        var held = source.Hold();
        var first = source.GetAsync(here, key);
        await Eventually.TrueAsync(() => source.Loads == 1);
        source.LetGo();

        (await source.GetAsync(there, key)).ShouldBe(new CacheResult<Plan>(source.Value, CacheSource.NotStored));

        held.SetResult();
        (await first).Source.ShouldBe(CacheSource.Loaded);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Invalidation_OfAnotherHost_WinsOverALoadUnderWayHere(bool byUser)
    {
        await using var here = Bed();
        await using var there = Bed();
        var userId = AuthBed.NewUserId();
        var key = NewKeyOf(userId);
        var held = source.Hold();
        var slow = source.GetAsync(here, key);
        await Eventually.TrueAsync(() => source.Loads == 1);
        source.Value = new Plan("large", 500);
        var cache = there.Get<AuthCache>();

        await (byUser ? cache.InvalidateUserAsync(userId, None) : cache.InvalidateAsync(key, None));
        source.LetGo();
        (await source.GetAsync(there, key)).ShouldBe(new CacheResult<Plan>(source.Value, CacheSource.Loaded));
        held.SetResult();

        (await slow).Source.ShouldBe(CacheSource.NotStored);
        (await source.GetAsync(there, key)).Value.ShouldBe(source.Value);
        (await there.Get<ICacheStore>().ReadAsync(key, None)).State.ShouldBe(CacheState.Hit);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Invalidation_ReachesTheLocalLayerOfAnotherHost(bool byUser)
    {
        await using var here = Bed(("Storage:Cache:LocalLife", "00:01:00"));
        await using var there = Bed();
        var userId = AuthBed.NewUserId();
        var key = NewKeyOf(userId);
        await source.GetAsync(here, key);
        await Eventually.TrueAsync(async () => (await redis.Server.ListAsync("PUBSUB", "NUMSUB", "cache:invalidated"))[1] != "0");
        (await source.GetAsync(here, key)).Source.ShouldBe(CacheSource.Local);
        source.Value = new Plan("large", 500);

        // Repeated, because the subscription may begin after the first; a host's own life of copies would end it after a minute only.
        await Eventually.TrueAsync(async () =>
        {
            await (byUser ? there.Get<AuthCache>().InvalidateUserAsync(userId, None) : there.Get<AuthCache>().InvalidateAsync(key, None));
            return (await source.GetAsync(here, key)).Value == source.Value;
        });
    }

    [Fact]
    public async Task LocalCopy_LivesShortly_WhenNoInvalidationArrives()
    {
        await using var bed = new RedisAuthBed(redis.Server, ("Storage:Cache:LocalLife", "00:00:01"));
        var key = NewKey();
        var cache = bed.Get<AuthCache>();
        await Eventually.TrueAsync(async () => (await source.GetAsync(bed, key)).Source == CacheSource.Local);
        source.Value = new Plan("large", 500);

        await redis.Server.ExecuteAsync("DEL", bed.Keys.CacheEntry(key));
        await bed.PassAsync(TimeSpan.FromSeconds(1.1));

        (await source.GetAsync(bed, key)).Value.ShouldBe(source.Value);
    }

    [Fact]
    public async Task LateLoad_IsNotStored_WhenItsLeaseIsOver()
    {
        await using var bed = new RedisAuthBed(redis.Server, ("Storage:Cache:LeaseLife", "00:00:01"));
        var key = NewKey();
        var held = source.Hold();
        var slow = source.GetAsync(bed, key);
        await Eventually.TrueAsync(() => source.Loads == 1);
        await bed.PassAsync(TimeSpan.FromSeconds(1.1));
        held.SetResult();

        (await slow).Source.ShouldBe(CacheSource.NotStored);
        (await redis.Server.IntegerAsync("EXISTS", bed.Keys.CacheEntry(key))).ShouldBe(0);
    }

    [Fact]
    public async Task Lives_AreSpread_AndNoKeyLivesForEver()
    {
        await using var server = await RedisServer.StartAsync();
        await using var bed = new RedisAuthBed(server);
        for (var i = 0; i < 50; i++)
        {
            await source.GetAsync(bed, NewKey());
        }

        var lives = new List<long>();
        foreach (var key in await server.KeysAsync())
        {
            lives.Add(await server.IntegerAsync("PTTL", key));
            bed.Keys.TryParse(key, out var parsed).ShouldBeTrue();
            parsed.Kind.ShouldBe(StateKind.Cache);
        }

        lives.Count.ShouldBe(50);
        lives.ShouldAllBe(life => life > 26 * 60_000 && life <= 33 * 60_000);
        (lives.Max() - lives.Min()).ShouldBeGreaterThan(60_000);
        await source.GetAsync(bed, NewKeyOf("somebody"));
        // Its own entry's, because every life is drawn.
        var epoch = await server.IntegerAsync("PTTL", bed.Keys.CacheEpoch(UserReference.Of("somebody")));
        epoch.ShouldBeGreaterThan(await server.IntegerAsync("PTTL", bed.Keys.CacheEntry(NewKeyOf("somebody"))));
    }

    [Fact]
    public async Task GetOrCreate_GoesToTheSource_WhenSomethingElseStandsUnderTheKey()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var (list, newer) = (NewKey(), NewKey());
        await redis.Server.ExecuteAsync("RPUSH", bed.Keys.CacheEntry(list), "a");
        await redis.Server.ExecuteAsync("SET", bed.Keys.CacheEntry(newer), "2;something newer", "EX", "60");

        (await source.GetAsync(bed, list)).ShouldBe(new CacheResult<Plan>(source.Value, CacheSource.NotStored));
        (await source.GetAsync(bed, newer)).ShouldBe(new CacheResult<Plan>(source.Value, CacheSource.NotStored));
        (await redis.Server.StringAsync("GET", bed.Keys.CacheEntry(newer))).ShouldBe("2;something newer");
    }

    [Fact]
    public async Task GetOrCreate_LoadsAgain_WhenTheEpochHasBeenEvicted()
    {
        await using var bed = new RedisAuthBed(redis.Server, ("Storage:Cache:LocalLife", "00:00:00"));
        var userId = AuthBed.NewUserId();
        await source.GetAsync(bed, NewKeyOf(userId));

        await redis.Server.ExecuteAsync("DEL", bed.Keys.CacheEpoch(UserReference.Of(userId)));

        (await source.GetAsync(bed, NewKeyOf(userId))).Source.ShouldBe(CacheSource.Loaded);
        (await source.GetAsync(bed, NewKeyOf(userId))).Source.ShouldBe(CacheSource.Store);
    }

    [Fact]
    public async Task DeadRedis_NeverFailsARead_AndAnInvalidationSaysSo()
    {
        await using var server = await RedisServer.StartAsync();
        await using var bed = new RedisAuthBed(server, JoinedForAMinute);
        var cache = bed.Get<AuthCache>();
        var key = NewKey();
        await source.GetAsync(bed, key);
        await server.KillAsync();

        (await source.GetAsync(bed, NewKey())).ShouldBe(new CacheResult<Plan>(source.Value, CacheSource.NotStored));
        var held = source.Hold();
        var many = Enumerable.Range(0, 20).Select(_ => source.GetAsync(bed, NewKeyOf("u"))).ToList();
        await Eventually.TrueAsync(() => source.Loads == 3);
        held.SetResult();
        (await Task.WhenAll(many)).ShouldAllBe(result => result.Value == source.Value);
        source.Loads.ShouldBe(3);
        await Should.ThrowAsync<StorageUnavailableException>(() => cache.InvalidateAsync(key, None));
        // On this host it holds all the same.
        (await source.GetAsync(bed, key)).Source.ShouldBe(CacheSource.NotStored);
    }
}
