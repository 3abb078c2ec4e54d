using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.Tokens;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.OneTimeTokens;

public sealed class RedisOneTimeTokenTests(RedisFixture redis) : OneTimeTokenContract, IClassFixture<RedisFixture>
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(redis.Server, settings);

    [Theory]
    [InlineData(OneTimePurpose.PasswordReset, StateKind.PasswordReset, 900)]
    [InlineData(OneTimePurpose.EmailVerification, StateKind.EmailVerification, 86_400)]
    [InlineData(OneTimePurpose.MagicLink, StateKind.MagicLink, 900)]
    public async Task Issue_GivesTheKeyItsNameAndLife(OneTimePurpose purpose, StateKind kind, int seconds)
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var userId = AuthBed.NewUserId();
        var user = UserReference.Of(userId);
        var issued = await bed.Get<IOneTimeTokenStore>().IssueAsync(purpose, userId, null, None);
        var key = bed.Keys.OneTimeTokensOf(kind, user) + issued.Token.Id.Value;

        (await redis.Server.IntegerAsync("PTTL", key)).ShouldBeInRange((seconds - 60) * 1000L, seconds * 1000L);
        (await redis.Server.IntegerAsync("PTTL", bed.Keys.OneTimeIndex(kind, user))).ShouldBeInRange((seconds - 60) * 1000L, seconds * 1000L);
        (await redis.Server.IntegerAsync("PTTL", bed.Keys.Generation(user))).ShouldBeGreaterThan((seconds - 60) * 1000L);
        bed.Keys.TryParse(key, out var parsed).ShouldBeTrue();
        (parsed.Kind, parsed.User, parsed.Id.Value).ShouldBe((kind, user, issued.Token.Id.Value));
    }

    [Fact]
    public async Task Redeem_Denies_WhenTheRecordSaysThatItIsOverAndTheKeyHasLostItsLife()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var store = bed.Get<IOneTimeTokenStore>();
        var userId = AuthBed.NewUserId();
        var issued = await store.IssueAsync(OneTimePurpose.PasswordReset, userId, null, None);
        var key = bed.Keys.OneTimeTokensOf(StateKind.PasswordReset, UserReference.Of(userId)) + issued.Token.Id.Value;
        await redis.Server.ExecuteAsync("PERSIST", key);
        // Expiry in 1970, byte 9 to 14 of the record.
        await redis.Server.ExecuteRawAsync("SETRANGE"u8.ToArray(), System.Text.Encoding.ASCII.GetBytes(key), "8"u8.ToArray(), [0, 0, 0, 0, 1, 0]);

        (await store.RedeemAsync(OneTimePurpose.PasswordReset, issued.Token.Value, None)).Denial.ShouldBe(TokenDenial.NotFound);
    }

    [Fact]
    public async Task Redeem_Denies_WhenTheGenerationOrTheIndexHasBeenEvicted()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var store = bed.Get<IOneTimeTokenStore>();
        var userId = AuthBed.NewUserId();
        var first = await store.IssueAsync(OneTimePurpose.PasswordReset, userId, null, None);
        await redis.Server.ExecuteAsync("DEL", bed.Keys.OneTimeIndex(StateKind.PasswordReset, UserReference.Of(userId)));
        (await store.RedeemAsync(OneTimePurpose.PasswordReset, first.Token.Value, None)).Denial.ShouldBe(TokenDenial.Revoked);

        var second = await store.IssueAsync(OneTimePurpose.PasswordReset, userId, null, None);
        await redis.Server.ExecuteAsync("DEL", bed.Keys.Generation(UserReference.Of(userId)));
        (await store.RedeemAsync(OneTimePurpose.PasswordReset, second.Token.Value, None)).Denial.ShouldBe(TokenDenial.Revoked);
    }

    [Fact]
    public async Task Redeem_Works_OnAFullRedis()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryPolicy = "noeviction" });
        await using var bed = new RedisAuthBed(server);
        var store = bed.Get<IOneTimeTokenStore>();
        var issued = await store.IssueAsync(OneTimePurpose.PasswordReset, AuthBed.NewUserId(), null, None);
        await server.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");

        (await store.RedeemAsync(OneTimePurpose.PasswordReset, issued.Token.Value, None)).IsAccepted.ShouldBeTrue();
        (await store.RedeemAsync(OneTimePurpose.PasswordReset, issued.Token.Value, None)).IsAccepted.ShouldBeFalse();
    }

    [Fact]
    public async Task Redis_HoldsNoSecretOfAnyToken()
    {
        await using var server = await RedisServer.StartAsync();
        await using var bed = new RedisAuthBed(server);
        var store = bed.Get<IOneTimeTokenStore>();
        var userId = AuthBed.NewUserId();
        var issued = new List<IssuedOneTimeToken>();
        foreach (var purpose in Enum.GetValues<OneTimePurpose>())
        {
            issued.Add(await store.IssueAsync(purpose, userId, "data", None));
        }

        var dump = await RedisDump.EverythingAsync(server);

        foreach (var token in issued)
        {
            dump.ShouldContain(token.Token.Id.Value);
            dump.ShouldNotContain(token.Token.Value[(SecretToken.Length - TokenSecret.Length)..]);
        }
    }
}
