using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Sessions;

/// <summary>Rule 4: a renewal patches what exists, on Redis's clock, and its failure takes nothing from a valid session.</summary>
public sealed class RenewalTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly SessionOptions Eager = new() { RenewalInterval = TimeSpan.Zero };

    [Fact]
    public async Task Renewal_MovesScoreAndBothTtlsTogether()
    {
        await using var harness = new StoreHarness(redis.Server.Url, Eager);
        var user = StoreHarness.NewUserId();
        var issued = await harness.LogInAsync(user);
        await Eventually.TrueAsync(async () => (await harness.ValidateAsync(issued)).Session!.LastSeenAt > issued.Session.LastSeenAt + TimeSpan.FromMilliseconds(50));

        var session = (await harness.Store.GetAsync(user, issued.Token.Id, None)).ShouldNotBeNull();
        var expires = session.ExpiresAt.ToUnixTimeMilliseconds();
        expires.ShouldBe(session.LastSeenAt.ToUnixTimeMilliseconds() + 86_400_000);
        (await redis.Server.StringAsync("ZSCORE", harness.IndexKey(user), issued.Token.Id.Value)).ShouldBe($"{expires}");
        (await redis.Server.IntegerAsync("PEXPIRETIME", harness.RecordKey(issued))).ShouldBe(expires);
        (await redis.Server.IntegerAsync("PEXPIRETIME", harness.IndexKey(user))).ShouldBe(expires);
    }

    [Fact]
    public async Task Renewal_NeverRevivesASessionRevokedSinceItsRead()
    {
        await using var harness = new StoreHarness(redis.Server.Url, Eager);
        var user = StoreHarness.NewUserId();
        var issued = await harness.LogInAsync(user);
        var before = await redis.Server.ValueAsync(harness.RecordKey(issued));
        await harness.Store.RevokeAsync(user, issued.Token.Id, None);

        // The script as a validation runs it that has read the record just before the revocation.
        var reply = ClientCompat.Items(await harness.Connection.EvaluateAsync(
            SessionScripts.Default.Renew, [harness.RecordKey(issued), harness.IndexKey(user), harness.GenerationKey(user)], [issued.Token.Id.Value], None));

        before.ShouldNotBeEmpty();
        ((string?)reply[0]).ShouldBe("gone");
        (await redis.Server.IntegerAsync("EXISTS", harness.RecordKey(issued), harness.IndexKey(user))).ShouldBe(0);
    }

    [Fact]
    public async Task Renewal_DoesNothing_WhenTheGenerationHasChanged()
    {
        await using var harness = new StoreHarness(redis.Server.Url, Eager);
        var user = StoreHarness.NewUserId();
        var issued = await harness.LogInAsync(user);
        var before = await redis.Server.ValueAsync(harness.RecordKey(issued));
        await redis.Server.ExecuteAsync("DEL", harness.IndexKey(user));
        await harness.Store.RevokeAllAsync(user, null, None);

        var reply = ClientCompat.Items(await harness.Connection.EvaluateAsync(
            SessionScripts.Default.Renew, [harness.RecordKey(issued), harness.IndexKey(user), harness.GenerationKey(user)], [issued.Token.Id.Value], None));

        ((string?)reply[0]).ShouldBe("revoked");
        (await redis.Server.ValueAsync(harness.RecordKey(issued))).ShouldBe(before);
        (await redis.Server.IntegerAsync("EXISTS", harness.IndexKey(user))).ShouldBe(0);
    }

    [Fact]
    public async Task Renewal_PutsBackALostIndexEntry()
    {
        await using var harness = new StoreHarness(redis.Server.Url, Eager);
        var user = StoreHarness.NewUserId();
        var issued = await harness.LogInAsync(user);
        await redis.Server.ExecuteAsync("DEL", harness.IndexKey(user));

        await harness.ValidateAsync(issued);

        (await harness.Store.CountAsync(user, None)).ShouldBe(1);
        (await redis.Server.TtlAsync(harness.IndexKey(user))).ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData("PERSIST")]
    [InlineData("PEXPIRE", "5184000000")]
    [InlineData("PEXPIREAT", "9000000000000000")]
    public async Task RecordWithoutItsTtl_IsJudgedByItsOwnTimes_AndMended(string command, string? argument = null)
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var user = StoreHarness.NewUserId();
        var issued = await harness.LogInAsync(user);
        await DamageTtlAsync(harness.RecordKey(issued), command, argument);

        (await harness.ValidateAsync(issued)).IsValid.ShouldBeTrue();

        (await redis.Server.TtlAsync(harness.RecordKey(issued))).ShouldBeInRange(86_390_000, 86_400_000);
    }

    [Theory]
    [InlineData("PERSIST")]
    [InlineData("PEXPIRE", "5184000000")]
    [InlineData("PEXPIREAT", "9000000000000000")]
    public async Task RecordThatOutlivedItsSlidingExpiry_DeniesEverywhere_AndIsRemoved(string command, string? argument = null)
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var user = StoreHarness.NewUserId();
        var issued = await harness.LogInAsync(user);
        // Last seen 25 hours ago, with 24 hours to live: only the lost TTL has kept it. Its absolute expiry is days away.
        var seen = await redis.Server.TimeAsync() - (25L * 3_600_000);
        await redis.Server.PatchAsync(harness.RecordKey(issued), 8, [.. Enumerable.Range(0, 6).Select(i => (byte)(seen >> (8 * (5 - i))))]);
        await DamageTtlAsync(harness.RecordKey(issued), command, argument);

        (await harness.Store.GetAsync(user, issued.Token.Id, None)).ShouldBeNull();
        (await harness.Store.CountAsync(user, None)).ShouldBe(0);
        (await harness.Store.RotateAsync(issued.Token.Value, new SessionChanges(), None)).Outcome.ShouldBe(RotationOutcome.Denied);
        (await harness.Store.RevokeAllAsync(user, issued.Token.Id, None)).KeptSession.ShouldBeFalse();
        (await harness.ValidateAsync(issued)).IsValid.ShouldBeFalse();
    }

    [Fact]
    public async Task RecordThatOutlivedItsSlidingExpiry_IsRemovedByItsNextValidation()
    {
        await using var harness = new StoreHarness(redis.Server.Url);
        var user = StoreHarness.NewUserId();
        var issued = await harness.LogInAsync(user);
        var seen = await redis.Server.TimeAsync() - (25L * 3_600_000);
        await redis.Server.PatchAsync(harness.RecordKey(issued), 8, [.. Enumerable.Range(0, 6).Select(i => (byte)(seen >> (8 * (5 - i))))]);
        await redis.Server.ExecuteAsync("PERSIST", harness.RecordKey(issued));

        (await harness.ValidateAsync(issued)).Denial.ShouldBe(SessionDenial.NotFound);

        (await redis.Server.IntegerAsync("EXISTS", harness.RecordKey(issued), harness.IndexKey(user))).ShouldBe(0);
    }

    private Task<object?> DamageTtlAsync(string key, string command, string? argument) =>
        redis.Server.ExecuteAsync(argument is null ? [command, key] : [command, key, argument]);
}

/// <summary>On a server of its own, because it makes the whole server refuse writes.</summary>
public sealed class RefusedRenewalTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    [Fact]
    public async Task Renewal_ThatFails_DoesNotFailTheValidation()
    {
        await using var harness = new StoreHarness(redis.Server.Url, new SessionOptions { RenewalInterval = TimeSpan.Zero });
        var issued = await harness.LogInAsync(StoreHarness.NewUserId());
        await redis.Server.ExecuteAsync("CONFIG", "SET", "min-replicas-to-write", "1");
        try
        {
            (await harness.ValidateAsync(issued)).IsValid.ShouldBeTrue();
            harness.Log.WithEvent(1100).ShouldNotBeEmpty();

            // But who must be asked whether the session is alive at all, and does not answer, has not said yes.
            await redis.Server.ExecuteAsync("CONFIG", "SET", "min-replicas-to-write", "0");
            await redis.Server.ExecuteAsync("PERSIST", harness.RecordKey(issued));
            await redis.Server.ExecuteAsync("CONFIG", "SET", "min-replicas-to-write", "1");
            (await Should.ThrowAsync<StorageUnavailableException>(() => harness.ValidateAsync(issued))).Reason.ShouldBe(UnavailableReason.NotServing);
        }
        finally
        {
            await redis.Server.ExecuteAsync("CONFIG", "SET", "min-replicas-to-write", "0");
        }
    }
}
