using System.Text;
using Maintenance.Storage.OAuth;
using Maintenance.Storage.Redis;
using Maintenance.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Storage.RedisTests.OAuth;

public sealed class RedisOAuthStateStoreTests(RedisFixture redis) : OAuthStateStoreContract, IClassFixture<RedisFixture>
{
    private readonly RedisSide side = new(redis);

    public override async Task DisposeAsync() => await side.DisposeAsync();

    protected override IOAuthStateStore CreateStore() => new RedisOAuthStateStore(side.Connection, side.Keys, Options);

    [Fact]
    public async Task Create_LeavesNothingReadableInRedis()
    {
        var issued = await Store.CreateAsync(New(), None);

        var key = (await side.Server.KeysAsync($"{side.Keys.Prefix}*")).ShouldHaveSingleItem();
        side.Keys.TryParse(key, out var parsed).ShouldBeTrue();
        parsed.Kind.ShouldBe(StateKind.OAuthState);
        (await side.Server.IntegerAsync("PTTL", key)).ShouldBeInRange(1, 600_000);
        var value = await side.Connection.CallAsync(database => database.StringGetAsync(key), None);
        var dump = key + Encoding.Latin1.GetString((byte[])value!);
        foreach (var secret in (string[])[issued.State, issued.BrowserNonce, Verifier, "settings", "github"])
        {
            dump.ShouldNotContain(secret);
        }

        // The same content twice is not the same bytes.
        var again = await Store.CreateAsync(New(), None);
        again.State.ShouldNotBe(issued.State);
    }

    [Fact]
    public async Task Redeem_CallsADamagedOrNewerRecordAMismatchAndAnotherTypeNotFound()
    {
        foreach (var (damage, outcome) in ((string[], OAuthRedemptionOutcome)[])
            [
                (["SET", "", "garbage"], OAuthRedemptionOutcome.Mismatch),
                (["SET", "", "\u0002" + new string('x', 100)], OAuthRedemptionOutcome.Mismatch),
                (["SETRANGE", "", "40", "x!"], OAuthRedemptionOutcome.Mismatch),
                (["HSET", "", "a", "b"], OAuthRedemptionOutcome.NotFound),
            ])
        {
            var issued = await Store.CreateAsync(New(), None);
            var key = side.Keys.OAuthState(OAuthStateSecret.Id(issued.State));
            if (damage[0] == "HSET")
            {
                await side.Server.ExecuteAsync("DEL", key);
            }

            await side.Server.ExecuteAsync([damage[0], key, .. damage[2..]]);
            (await Store.RedeemAsync("github", issued.State, issued.BrowserNonce, None)).Outcome.ShouldBe(outcome);
        }
    }

    [Fact]
    public async Task DataFormat_StopsBlocking_WhenRedisDoesNotAnswer()
    {
        await using var server = await RedisServer.StartAsync();
        await using var connection = new RedisConnection(
            new RedisOptions { Url = server.Url, Deadline = TimeSpan.FromSeconds(1) }, TimeProvider.System, NullLogger.Instance);
        await connection.ConnectAsync(None);
        var format = new OAuthStateDataFormat(new RedisOAuthStateStore(connection, side.Keys, Options), "GitHub");
        string? state = null;
        await Eventually.TrueAsync(() => (state = format.Protect(new() { RedirectUri = "/" })) is not null);
        await server.PauseAsync();
        var started = TimeProvider.System.GetTimestamp();

        Should.Throw<StorageUnavailableException>(() => format.Protect(new() { RedirectUri = "/" }));
        Should.Throw<StorageUnavailableException>(() => format.Unprotect(state));

        // The machine that runs this may be busy; a client without deadlines waits 75 s here.
        TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(30));
        await server.ResumeAsync();
    }
}
