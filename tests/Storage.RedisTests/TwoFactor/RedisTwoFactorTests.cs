using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.Tokens;
using Maintenance.Storage.TwoFactor;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.TwoFactor;

public sealed class RedisTwoFactorTests(RedisFixture redis) : TwoFactorContract, IClassFixture<RedisFixture>
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(redis.Server, settings);

    [Fact]
    public async Task Keys_HaveTheirNamesAndLives()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var store = bed.Get<ITwoFactorStore>();
        var userId = AuthBed.NewUserId();
        var user = UserReference.Of(userId);
        var start = await BeginAsync(bed, userId);
        await store.AttemptAsync(start.Token!.Value, None);
        var key = bed.Keys.ChallengesOf(user) + start.Token.Id.Value;

        (await redis.Server.IntegerAsync("PTTL", key)).ShouldBeInRange(240_000, 300_000);
        (await redis.Server.IntegerAsync("PTTL", bed.Keys.ChallengeIndex(user))).ShouldBeInRange(240_000, 300_000);
        (await redis.Server.IntegerAsync("PTTL", bed.Keys.TwoFactorUser(user))).ShouldBeInRange(840_000, 900_000);
        bed.Keys.TryParse(key, out var challenge).ShouldBeTrue();
        bed.Keys.TryParse(bed.Keys.ChallengeIndex(user), out var index).ShouldBeTrue();
        bed.Keys.TryParse(bed.Keys.TwoFactorUser(user), out var state).ShouldBeTrue();
        (challenge.Kind, index.Kind, state.Kind).ShouldBe((StateKind.TwoFactorChallenge, StateKind.TwoFactorChallengeIndex, StateKind.TwoFactorUser));
        await store.CompleteAsync(start.Token.Value, null, None);
        (await redis.Server.IntegerAsync("EXISTS", bed.Keys.TwoFactorUser(user))).ShouldBe(0);
    }

    [Fact]
    public async Task User_GetsAttemptsBack_WhenTheWindowHasPassed()
    {
        await using var bed = new RedisAuthBed(redis.Server, ("Storage:TwoFactor:MaxAttempts", "1"), ("Storage:TwoFactor:MaxAttemptsPerUser", "1"));
        var userId = AuthBed.NewUserId();
        var start = await BeginAsync(bed, userId);
        await bed.Get<ITwoFactorStore>().AttemptAsync(start.Token!.Value, None);
        (await BeginAsync(bed, userId)).IsBegun.ShouldBeFalse();
        var key = bed.Keys.TwoFactorUser(UserReference.Of(userId));
        // The window's end, bytes 3 to 8 of the record, as if it had begun in 1970; the key itself lives on.
        await redis.Server.ExecuteRawAsync("SETRANGE"u8.ToArray(), System.Text.Encoding.ASCII.GetBytes(key), "2"u8.ToArray(), [0, 0, 0, 0, 1, 0]);

        (await BeginAsync(bed, userId)).IsBegun.ShouldBeTrue();
    }

    [Fact]
    public async Task Begin_Denies_WhenWhatIsRememberedOfTheUserCannotBeRead()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var store = bed.Get<ITwoFactorStore>();
        var userId = AuthBed.NewUserId();
        var start = await BeginAsync(bed, userId);
        await redis.Server.ExecuteAsync("SET", bed.Keys.TwoFactorUser(UserReference.Of(userId)), "something else");

        (await BeginAsync(bed, userId)).IsBegun.ShouldBeFalse();
        (await store.AttemptAsync(start.Token!.Value, None)).Denial.ShouldBe(TokenDenial.Unreadable);
    }

    [Fact]
    public async Task Attempt_CountsOnAFullRedis()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryPolicy = "noeviction" });
        await using var bed = new RedisAuthBed(server, ("Storage:TwoFactor:MaxAttempts", "2"));
        var store = bed.Get<ITwoFactorStore>();
        var start = await BeginAsync(bed, AuthBed.NewUserId());
        await server.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");

        (await store.AttemptAsync(start.Token!.Value, None)).Outcome.ShouldBe(TwoFactorOutcome.Allowed);
        (await store.AttemptAsync(start.Token.Value, None)).Outcome.ShouldBe(TwoFactorOutcome.Allowed);
        (await store.AttemptAsync(start.Token.Value, None)).Outcome.ShouldBe(TwoFactorOutcome.Locked);
        (await store.CompleteAsync(start.Token.Value, 59_000_000, None)).Outcome.ShouldBe(TwoFactorOutcome.Completed);
    }

    [Fact]
    public async Task Redis_HoldsNeitherTheSecretNorTheCode()
    {
        await using var server = await RedisServer.StartAsync();
        await using var bed = new RedisAuthBed(server);
        var store = bed.Get<ITwoFactorStore>();
        var userId = "someone";
        var start = await BeginAsync(bed, userId, "48151623");
        await store.RedeemCodeAsync(start.Token!.Value, "48151624", None);

        var dump = await RedisDump.EverythingAsync(server);

        dump.ShouldContain(start.Token.Id.Value);
        dump.ShouldContain(ChallengeFormat.HashCode(start.Token, "48151623")!.Value.Value);
        dump.ShouldNotContain(start.Token.Value[(SecretToken.Length - TokenSecret.Length)..]);
        dump.ShouldNotContain("48151623");
        // Nor a hash that the few codes can be tried against.
        dump.ShouldNotContain(TokenId.OfSecret("48151623").Value);
    }
}
