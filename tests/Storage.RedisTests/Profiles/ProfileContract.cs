using Maintenance.Storage.Caching;
using Maintenance.Storage.Profiles;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Profiles;

/// <summary>What the profile cache does on every store.</summary>
public abstract class ProfileContract
{
    protected static readonly CancellationToken None = CancellationToken.None;

    private int loads;

    protected Dictionary<string, string?>? Profile { get; set; } = new(StringComparer.Ordinal) { ["displayName"] = "Ada", ["email"] = "ada@example.org", ["locale"] = null };

    protected abstract AuthBed Bed(params (string Name, string Value)[] settings);

    protected Task<IReadOnlyDictionary<string, string?>?> GetAsync(AuthBed bed, string userId) => bed.Get<ProfileCache>().GetOrLoadAsync(
        userId,
        _ =>
        {
            Interlocked.Increment(ref loads);
            return Task.FromResult<IReadOnlyDictionary<string, string?>?>(Profile);
        },
        None);

    [Fact]
    public async Task GetOrLoad_GivesBackTheFields_LoadedOnce()
    {
        await using var bed = Bed();
        var userId = AuthBed.NewUserId();

        (await GetAsync(bed, userId)).ShouldBe(Profile, ignoreOrder: true);
        (await GetAsync(bed, userId)).ShouldBe(Profile, ignoreOrder: true);

        loads.ShouldBe(1);
    }

    [Theory]
    [InlineData("passwordHash")]
    [InlineData("Email")]
    public async Task GetOrLoad_RefusesAFieldThatIsNotAllowed_ByItsName(string field)
    {
        await using var bed = Bed();
        var userId = AuthBed.NewUserId();
        Profile![field] = "$2b$12$secret";

        var refused = await Should.ThrowAsync<ProfileFieldException>(() => GetAsync(bed, userId));

        refused.Field.ShouldBe(field);
        refused.Message.ShouldContain(field);
        refused.Message.ShouldNotContain("secret");
        (await bed.Get<ICacheStore>().ReadAsync(CacheKey.Profile(UserReference.Of(userId)), None)).State.ShouldBe(CacheState.Miss);
    }

    [Fact]
    public async Task GetOrLoad_TakesTheFieldsThatAreConfigured()
    {
        await using var bed = Bed(("Storage:Profiles:Fields:0", "shoeSize"));
        Profile = new(StringComparer.Ordinal) { ["shoeSize"] = "38" };
        (await GetAsync(bed, AuthBed.NewUserId()))!["shoeSize"].ShouldBe("38");

        Profile = new(StringComparer.Ordinal) { ["email"] = "ada@example.org" };
        (await Should.ThrowAsync<ProfileFieldException>(() => GetAsync(bed, AuthBed.NewUserId()))).Field.ShouldBe("email");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Invalidate_MakesTheNextCallLoad(bool everythingOfTheUser)
    {
        await using var bed = Bed();
        var userId = AuthBed.NewUserId();
        await GetAsync(bed, userId);
        Profile!["displayName"] = "Ada L.";

        await (everythingOfTheUser ? bed.Get<AuthCache>().InvalidateUserAsync(userId, None) : bed.Get<ProfileCache>().InvalidateAsync(userId, None));

        (await GetAsync(bed, userId))!["displayName"].ShouldBe("Ada L.");
    }

    [Fact]
    public async Task GetOrLoad_RemembersThatThereIsNoSuchUser()
    {
        await using var bed = Bed();
        var userId = AuthBed.NewUserId();
        Profile = null;

        (await GetAsync(bed, userId)).ShouldBeNull();
        (await GetAsync(bed, userId)).ShouldBeNull();

        loads.ShouldBe(1);
    }
}

public sealed class MemoryProfileTests : ProfileContract
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new MemoryAuthBed(new ManualTimeProvider(), settings);
}

/// <summary>The contract on the store that the demo embeds.</summary>
public sealed class GarnetProfileTests(GarnetFixture garnet) : ProfileContract, IClassFixture<GarnetFixture>
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(garnet.Server, settings);
}

public sealed class RedisProfileTests(RedisFixture redis) : ProfileContract, IClassFixture<RedisFixture>
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(redis.Server, settings);

    [Fact]
    public async Task Profile_LiesUnderItsKey_WithALife()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var userId = AuthBed.NewUserId();
        await GetAsync(bed, userId);
        var key = $"user:profile:{UserReference.Of(userId).ToTagged()}";

        (await redis.Server.StringAsync("GET", key)).ShouldNotBeNull().ShouldContain("ada@example.org");
        (await redis.Server.IntegerAsync("PTTL", key)).ShouldBeInRange(26 * 60_000, 33 * 60_000);
    }

    [Fact]
    public async Task Field_ThatIsNoLongerAllowed_DoesNotComeOut()
    {
        await using var before = Bed();
        await using var after = Bed(("Storage:Profiles:Fields:0", "displayName"));
        var userId = AuthBed.NewUserId();
        await GetAsync(before, userId);

        (await GetAsync(after, userId))!.Keys.ShouldBe(["displayName"]);
    }
}
