using Maintenance.Storage.Caching;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Caching;

/// <summary>What the cache does on every store.</summary>
public abstract class CacheContract
{
    protected static readonly CancellationToken None = CancellationToken.None;

    private readonly Source source = new();

    protected abstract AuthBed Bed(params (string Name, string Value)[] settings);

    protected static CacheKey NewKey() => CacheKey.Of(Guid.NewGuid().ToString("N"));

    protected static CacheKey NewKeyOf(string userId) => CacheKey.OfUser(userId, "plan");

    /// <summary>So long may a load have been under way for others to join it: longer than a busy machine stands still between two callers.</summary>
    protected static readonly (string, string) JoinedForAMinute = ("Storage:Cache:LocalLife", "00:01:00");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GetOrCreate_LoadsOnce_WhenTwoHundredComeAtOnce(bool ofUser)
    {
        await using var bed = Bed(JoinedForAMinute);
        var cache = bed.Get<AuthCache>();
        var key = ofUser ? NewKeyOf(AuthBed.NewUserId()) : NewKey();

        var results = await AuthBed.AtOnceAsync(200, _ => source.GetAsync(bed, key));

        results.ShouldAllBe(result => result.Value == source.Value);
        source.Loads.ShouldBe(1);
        (await source.GetAsync(bed, key)).Source.ShouldNotBe(CacheSource.Loaded);
        source.Loads.ShouldBe(1);
    }

    [Fact]
    public async Task GetOrCreate_GivesAFailedLoadToAllWhoWait_AndDoesNotCacheIt()
    {
        await using var bed = Bed(JoinedForAMinute);
        var cache = bed.Get<AuthCache>();
        var key = NewKey();
        source.Failure = new InvalidOperationException("the source is down");
        var held = source.Hold();
        var waiting = Enumerable.Range(0, 20).Select(_ => source.GetAsync(bed, key)).ToList();
        await Eventually.TrueAsync(() => source.Loads == 1);
        held.SetResult();

        foreach (var one in waiting)
        {
            (await Should.ThrowAsync<InvalidOperationException>(() => one)).Message.ShouldBe("the source is down");
        }

        source.Loads.ShouldBe(1);
        source.Failure = null;
        source.LetGo();
        (await source.GetAsync(bed, key)).ShouldBe(new CacheResult<Plan>(source.Value, CacheSource.Loaded));
    }

    [Fact]
    public async Task GetOrCreate_RemembersThatThereIsNothing()
    {
        await using var bed = Bed();
        var cache = bed.Get<AuthCache>();
        var key = NewKeyOf(AuthBed.NewUserId());
        source.Value = null;

        (await source.GetAsync(bed, key)).ShouldBe(new CacheResult<Plan>(null, CacheSource.Loaded));
        (await source.GetAsync(bed, key)).Value.ShouldBeNull();

        source.Loads.ShouldBe(1);
    }

    [Fact]
    public async Task GetOrCreate_LoadsAgain_WhenTheLifeIsOver()
    {
        await using var bed = Bed(("Storage:Cache:LocalLife", "00:00:00"), ("Storage:Cache:Jitter", "0"));
        var cache = bed.Get<AuthCache>();
        var (key, brief) = (NewKey(), NewKey());
        await source.GetAsync(bed, key, TimeSpan.FromMinutes(10));
        await source.GetAsync(bed, brief, TimeSpan.FromSeconds(1));
        source.Value = new Plan("large", 500);
        (await source.GetAsync(bed, key)).Value.ShouldBe(new Plan("small", 1));

        await bed.PassAsync(TimeSpan.FromSeconds(1.1));

        (await source.GetAsync(bed, brief)).Value.ShouldBe(source.Value);
        (await source.GetAsync(bed, key)).Value.ShouldBe(new Plan("small", 1));
    }

    [Fact]
    public async Task Invalidate_MakesTheNextCallLoad()
    {
        await using var bed = Bed();
        var cache = bed.Get<AuthCache>();
        var (key, other) = (NewKey(), NewKey());
        await source.GetAsync(bed, key);
        await source.GetAsync(bed, other);
        source.Value = new Plan("large", 500);

        await cache.InvalidateAsync(key, None);

        (await source.GetAsync(bed, key)).Value.ShouldBe(source.Value);
        (await source.GetAsync(bed, other)).Value.ShouldBe(new Plan("small", 1));
    }

    [Fact]
    public async Task InvalidateUser_MakesEverythingOfTheUserLoad_AndNothingOfAnother()
    {
        await using var bed = Bed();
        var cache = bed.Get<AuthCache>();
        var (userId, otherId) = (AuthBed.NewUserId(), AuthBed.NewUserId());
        CacheKey[] keys = [CacheKey.OfUser(userId, "a"), CacheKey.OfUser(userId, "b"), CacheKey.OfUser(otherId, "a"), NewKey()];
        foreach (var key in keys)
        {
            await source.GetAsync(bed, key);
        }

        source.Value = new Plan("large", 500);

        await cache.InvalidateUserAsync(userId, None);

        var names = new List<string>();
        foreach (var key in keys)
        {
            names.Add((await source.GetAsync(bed, key)).Value!.Name);
        }

        names.ShouldBe(["large", "large", "small", "small"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Invalidation_WinsOverALoadUnderWay(bool byUser)
    {
        await using var bed = Bed();
        var cache = bed.Get<AuthCache>();
        var userId = AuthBed.NewUserId();
        var key = NewKeyOf(userId);
        var held = source.Hold();
        var slow = source.GetAsync(bed, key);
        await Eventually.TrueAsync(() => source.Loads == 1);
        source.Value = new Plan("large", 500);

        await (byUser ? cache.InvalidateUserAsync(userId, None) : cache.InvalidateAsync(key, None));
        source.LetGo();
        // Who asks after the invalidation does not join the load from before it.
        (await source.GetAsync(bed, key)).Value.ShouldBe(source.Value);
        held.SetResult();

        (await slow).ShouldBe(new CacheResult<Plan>(new Plan("small", 1), CacheSource.NotStored));
        (await source.GetAsync(bed, key)).Value.ShouldBe(source.Value);
        source.Loads.ShouldBe(2);
    }

    [Fact]
    public async Task Invalidation_WinsOverALoadUnderWay_WhenNobodyAskedBetween()
    {
        await using var bed = Bed();
        var cache = bed.Get<AuthCache>();
        var userId = AuthBed.NewUserId();
        var key = NewKeyOf(userId);
        var held = source.Hold();
        var slow = source.GetAsync(bed, key);
        await Eventually.TrueAsync(() => source.Loads == 1);
        source.Value = new Plan("large", 500);
        await cache.InvalidateUserAsync(userId, None);
        held.SetResult();
        await slow;
        source.LetGo();

        (await source.GetAsync(bed, key)).Value.ShouldBe(source.Value);
    }

    [Fact]
    public async Task Cancellation_EndsOnesOwnWaitOnly_AndTheLoadWhenNobodyWaits()
    {
        await using var bed = Bed(JoinedForAMinute);
        var cache = bed.Get<AuthCache>();
        var key = NewKey();
        var held = source.Hold();
        using var leaving = new CancellationTokenSource();
        var first = cache.GetOrCreateAsync(key, source.LoadAsync, leaving.Token);
        await Eventually.TrueAsync(() => source.Loads == 1);
        var second = source.GetAsync(bed, key);

        await leaving.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => first);
        held.SetResult();
        (await second).Value.ShouldBe(source.Value);
        source.WasCancelled.ShouldBeFalse();

        source.Hold();
        using var last = new CancellationTokenSource();
        var alone = cache.GetOrCreateAsync(NewKey(), source.LoadAsync, last.Token);
        await Eventually.TrueAsync(() => source.Loads == 2);
        await last.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => alone);
        await Eventually.TrueAsync(() => source.WasCancelled);
    }

    [Fact]
    public async Task GetOrCreate_DoesNotStoreWhatIsTooLarge()
    {
        await using var bed = Bed(("Storage:Cache:MaxBytes", "10"));
        var cache = bed.Get<AuthCache>();
        var key = NewKey();

        (await source.GetAsync(bed, key)).ShouldBe(new CacheResult<Plan>(source.Value, CacheSource.NotStored));
        (await source.GetAsync(bed, key)).ShouldBe(new CacheResult<Plan>(source.Value, CacheSource.NotStored));
    }

    [Fact]
    public async Task GetOrCreate_GoesToTheSource_WhenTheStoredValueHasAnotherShape()
    {
        await using var bed = Bed();
        var cache = bed.Get<AuthCache>();
        var key = NewKey();
        await cache.GetOrCreateAsync<string>(key, _ => Task.FromResult<string?>("a text"), None);

        (await source.GetAsync(bed, key)).Value.ShouldBe(source.Value);
        (await source.GetAsync(bed, key)).Source.ShouldBe(CacheSource.Loaded);
    }

    [Fact]
    public async Task EveryCall_RefusesWhatNamesNothing()
    {
        await using var bed = Bed();
        var cache = bed.Get<AuthCache>();
        await Should.ThrowAsync<ArgumentException>(() => source.GetAsync(bed, default));
        await Should.ThrowAsync<ArgumentException>(() => source.GetAsync(bed, NewKey(), TimeSpan.Zero));
        Should.Throw<ArgumentException>(() => CacheKey.Of("{Ab}cD3fGhIjKlMnOp:x"));
        Should.Throw<ArgumentException>(() => CacheKey.Of("two words"));
        Should.Throw<ArgumentException>(() => CacheKey.Of(new string('a', CacheKey.MaxLength + 1)));
    }
}
