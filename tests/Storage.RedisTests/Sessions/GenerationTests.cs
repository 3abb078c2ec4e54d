using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>Rule 2: the generation decides, absent is not zero, and it never starts again.</summary>
public sealed class GenerationTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("-1")]
    [InlineData("1e15")]
    [InlineData("99999999999999999999")]
    public async Task MissingOrUnreadableGeneration_Denies_AndTheNextLogInHeals(string? value)
    {
        await using var harness = new StoreHarness(redis.Server.Url, new SessionOptions { RenewalInterval = TimeSpan.Zero });
        var user = StoreHarness.NewUserId();
        var old = await harness.LogInAsync(user);
        await redis.Server.ExecuteAsync(value is null ? ["DEL", harness.GenerationKey(user)] : ["SET", harness.GenerationKey(user), value]);

        (await harness.ValidateAsync(old)).Denial.ShouldBe(SessionDenial.Revoked);
        (await harness.Store.ListAsync(user, None)).ShouldBeEmpty();
        (await harness.Store.RotateAsync(old.Token.Value, new SessionChanges(), None)).Outcome.ShouldBe(RotationOutcome.Denied);

        var fresh = await harness.LogInAsync(user);
        (await harness.ValidateAsync(fresh)).IsValid.ShouldBeTrue();
        (await harness.ValidateAsync(old)).Denial.ShouldBe(SessionDenial.Revoked);
        (await harness.Store.RevokeAllAsync(user, fresh.Token.Id, None)).KeptSession.ShouldBeTrue();
    }

    [Fact]
    public async Task Generation_OfAKeyOfAnotherType_IsNone_AndTheNextLogInHeals()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var user = StoreHarness.NewUserId();
        await redis.Server.ExecuteAsync("RPUSH", harness.GenerationKey(user), "x");

        (await harness.Store.GetGenerationAsync(user, None)).ShouldBeNull();

        var issued = await harness.LogInAsync(user);
        (await harness.Store.GetGenerationAsync(user, None)).ShouldBe(issued.Session.Generation);
    }

    [Fact]
    public async Task Generation_OnlyGrows_AlsoWhenRedissClockIsBehindIt()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var user = StoreHarness.NewUserId();
        var ahead = ((await redis.Server.TimeAsync()) + 3_600_000) * 1000;
        await redis.Server.ExecuteAsync("SET", harness.GenerationKey(user), $"{ahead}");
        var issued = await harness.LogInAsync(user);
        issued.Session.Generation.ShouldBe(ahead);

        await harness.Store.RevokeAllAsync(user, null, None);
        await harness.Store.RevokeAllAsync(user, null, None);

        (await redis.Server.StringAsync("GET", harness.GenerationKey(user))).ShouldBe($"{ahead + 2}");
    }

    [Fact]
    public async Task LogInAfterAnEvictedGeneration_DoesNotReviveAnOrphan()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var user = StoreHarness.NewUserId();
        var orphan = await harness.LogInAsync(user);
        await redis.Server.ExecuteAsync("DEL", harness.IndexKey(user));
        await harness.Store.RevokeAllAsync(user, null, None);
        await redis.Server.ExecuteAsync("DEL", harness.GenerationKey(user));

        await harness.LogInAsync(user);

        (await redis.Server.IntegerAsync("EXISTS", harness.RecordKey(orphan))).ShouldBe(1);
        (await harness.ValidateAsync(orphan)).Denial.ShouldBe(SessionDenial.Revoked);
        (await harness.Store.GetAsync(user, orphan.Token.Id, None)).ShouldBeNull();
        (await harness.Store.CountAsync(user, None)).ShouldBe(1);
    }

    [Fact]
    public async Task Generation_OutlivesEverySession_WhicheverHostRevokedTheOthers()
    {
        await using var generous = new StoreHarness(redis.Server.Url);
        await using var frugal = new StoreHarness(
            redis.Server.Url, new SessionOptions { SlidingExpiration = TimeSpan.FromHours(1), AbsoluteExpiration = TimeSpan.FromHours(2) });
        var user = StoreHarness.NewUserId();
        var kept = await generous.Store.CreateAsync(
            new NewSession { UserId = user, SlidingExpiration = TimeSpan.FromDays(30), AbsoluteExpiration = TimeSpan.FromDays(60) }, None);
        await AssertOutlivesAsync(kept.Session);

        await frugal.LogInAsync(user);
        await AssertOutlivesAsync(kept.Session);

        (await frugal.Store.RevokeAllAsync(user, kept.Token.Id, None)).KeptSession.ShouldBeTrue();
        await AssertOutlivesAsync(kept.Session);

        await redis.Server.ExecuteAsync("PEXPIRE", frugal.GenerationKey(user), "60000");
        var rotated = (await frugal.Store.RotateAsync(kept.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        await AssertOutlivesAsync(rotated.Session);

        async Task AssertOutlivesAsync(Session session) =>
            (await redis.Server.IntegerAsync("PEXPIRETIME", generous.GenerationKey(user))).ShouldBeGreaterThanOrEqualTo(session.AbsoluteExpiresAt.ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task LogIn_GivesAGenerationWithoutTtlOneAgain()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var user = StoreHarness.NewUserId();
        var first = await harness.LogInAsync(user);
        await redis.Server.ExecuteAsync("PERSIST", harness.GenerationKey(user));

        await harness.LogInAsync(user);

        (await redis.Server.TtlAsync(harness.GenerationKey(user))).ShouldBeGreaterThan(6 * 86_400_000L);
        (await harness.ValidateAsync(first)).IsValid.ShouldBeTrue();
    }

    [Fact]
    public async Task RecordMovedUnderAnotherUsersKey_IsDenied()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var (mine, other) = (await harness.LogInAsync(StoreHarness.NewUserId()), await harness.LogInAsync(StoreHarness.NewUserId()));
        var record = await redis.Server.ValueAsync(harness.RecordKey(mine));
        // Even with the other user's generation in it.
        (await redis.Server.ValueAsync(harness.RecordKey(other)))[20..27].CopyTo(record, 20);
        await redis.Server.PlantAsync(harness.RecordKey(other), record);

        (await harness.ValidateAsync(other)).Denial.ShouldBe(SessionDenial.Unreadable);
        harness.Log.WithEvent(1101).ShouldHaveSingleItem();
    }
}
