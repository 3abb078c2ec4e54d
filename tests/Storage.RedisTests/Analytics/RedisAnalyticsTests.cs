using System.Net;
using Maintenance.Storage.Analytics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Analytics;

public sealed class RedisAnalyticsTests(RedisFixture redis) : AnalyticsContract, IClassFixture<RedisFixture>
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(redis.Server, settings);

    [Fact]
    public async Task EveryKey_HasItsNameAndLife_AndHoldsNeitherAddressNorUserAgentNorSecret()
    {
        await using var server = await RedisServer.StartAsync();
        await using var bed = new RedisAuthBed(server);
        var userId = AuthBed.NewUserId();
        var issued = await bed.Sessions.CreateAsync(
            new NewSession { UserId = userId, DeviceName = "phone", IpAddress = IPAddress.Parse("203.0.113.9"), UserAgent = "Agent/1" }, None);
        await bed.RecordedAsync();
        await bed.Get<IAnalyticsStore>().RecordActivityAsync(userId, issued.Session.Id, "a", null, None);
        await server.ExecuteAsync("DEL", bed.Keys.Session(UserReference.Of(userId), issued.Session.Id));

        var lives = new Dictionary<StateKind, double>();
        foreach (var key in await server.KeysAsync())
        {
            bed.Keys.TryParse(key, out var parsed).ShouldBeTrue(key);
            lives[parsed.Kind] = Math.Round(await server.IntegerAsync("PTTL", key) / 86_400_000.0, 2);
        }

        (lives[StateKind.UserStats], lives[StateKind.UserDevices], lives[StateKind.UserHistory]).ShouldBe((365, 365, 365));
        (lives[StateKind.DayLogins], lives[StateKind.DayUsers], lives[StateKind.SessionActivity]).ShouldBe((90, 90, 1));
        var dump = await RedisDump.EverythingAsync(server);
        dump.ShouldContain("phone");
        dump.ShouldNotContain("203.0.113.9");
        dump.ShouldNotContain("Agent/1");
        dump.ShouldNotContain(issued.Token.Value[(UserReference.Length + 1)..]);
    }

    [Fact]
    public async Task LogInRotationAndLogOut_Succeed_WhenNothingCanBeRecorded()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var userId = AuthBed.NewUserId();
        var user = UserReference.Of(userId);
        // Something else stands under the keys, so that both scripts fail.
        await redis.Server.ExecuteAsync("SET", bed.Keys.UserStats(user), "x", "EX", "60");
        await redis.Server.ExecuteAsync("SET", bed.Keys.UserHistory(user), "x", "EX", "60");

        var issued = await bed.Sessions.CreateAsync(new NewSession { UserId = userId }, None);
        var rotated = (await bed.Sessions.RotateAsync(issued.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
        (await bed.Sessions.ValidateAsync(rotated.Token.Value, None)).Session.ShouldNotBeNull();
        (await bed.Sessions.RevokeAsync(userId, rotated.Session.Id, None)).ToBoolean().ShouldBeTrue();

        (await redis.Server.StringAsync("GET", bed.Keys.UserHistory(user))).ShouldBe("x");
    }

    [Theory]
    [InlineData(StateKind.DayUsers)]
    [InlineData(StateKind.UserDevices)]
    [InlineData(StateKind.UserHistory)]
    public async Task RecordLogin_LeavesNoKeyWithoutALife_WhenAnotherKeyIsOfAnotherType(StateKind damaged)
    {
        await using var server = await RedisServer.StartAsync();
        await using var bed = new RedisAuthBed(server);
        var userId = AuthBed.NewUserId();
        var user = UserReference.Of(userId);
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        foreach (var day in new[] { today, today.AddDays(1) })
        {
            await server.ExecuteAsync("HSET", damaged == StateKind.DayUsers ? bed.Keys.DayUsers(day) : "other", "x", "x");
        }

        await server.ExecuteAsync("HSET", damaged == StateKind.UserHistory ? bed.Keys.UserHistory(user) : bed.Keys.UserDevices(user), "x", "x");

        await bed.Sessions.CreateAsync(new NewSession { UserId = userId, DeviceName = "phone" }, None);
        await bed.RecordedAsync();

        foreach (var key in await server.KeysAsync())
        {
            if (await server.StringAsync("TYPE", key) != "hash" || key == bed.Keys.UserStats(user))
            {
                (await server.IntegerAsync("PTTL", key)).ShouldBeGreaterThan(0, key);
            }
        }
    }

    [Fact]
    public async Task History_DoesNotGrowPastItsCap()
    {
        await using var bed = new RedisAuthBed(redis.Server, ("Storage:Analytics:PastSessions", "2"));
        var userId = AuthBed.NewUserId();
        for (var i = 0; i < 10; i++)
        {
            await bed.Sessions.RevokeAsync(userId, (await LogInAsync(bed, userId)).Session.Id, None);
        }

        (await redis.Server.IntegerAsync("LLEN", bed.Keys.UserHistory(UserReference.Of(userId)))).ShouldBe(8);
    }
}
