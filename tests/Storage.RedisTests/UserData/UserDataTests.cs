using Maintenance.Storage.Caching;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Sessions;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Storage.UserData;
using Maintenance.Testing;
using System.Net;

namespace Maintenance.Storage.RedisTests.UserData;

public sealed class MemoryUserDataTests : UserDataContract
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new MemoryAuthBed(new ManualTimeProvider(), settings);
}

/// <summary>The contract on the store that the demo embeds.</summary>
public sealed class GarnetUserDataTests(GarnetFixture garnet) : UserDataContract, IClassFixture<GarnetFixture>
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(garnet.Server, settings);
}

public sealed class RedisUserDataTests(RedisFixture redis) : UserDataContract, IClassFixture<RedisFixture>
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(redis.Server, settings);

    [Fact]
    public async Task Erase_LeavesNoKeyOfTheUserButTheGeneration_AlsoWhatNoIndexNames()
    {
        await using var server = await RedisServer.StartAsync();
        await using var bed = new RedisAuthBed(server, ("Storage:Redis:KeyPrefix", "app[1]:"));
        var filled = await FillAsync(bed);
        var user = UserReference.Of(filled.UserId);
        // Cut off from their indexes, as damage does it.
        await server.ExecuteAsync("DEL", bed.Keys.SessionIndex(user));
        await server.ExecuteAsync("DEL", bed.Keys.RefreshIndex(user));
        await server.ExecuteAsync("DEL", bed.Keys.OneTimeIndex(StateKind.MagicLink, user));

        await bed.Get<UserDataService>().EraseAsync(filled.UserId, None);

        // A number that goes by itself; without it another host could bring back what it holds in memory.
        (await server.KeysAsync($"*{user.ToTagged()}*")).ShouldBe([bed.Keys.Generation(user)]);
        (await server.IntegerAsync("PTTL", bed.Keys.Generation(user))).ShouldBePositive();
    }

    [Fact]
    public async Task Erase_ByTheWalk_SparesALogInSinceThen()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var filled = await FillAsync(bed);
        var user = UserReference.Of(filled.UserId);
        await redis.Server.ExecuteAsync("DEL", bed.Keys.SessionIndex(user));
        await bed.Sessions.RevokeAllAsync(filled.UserId, null, None);
        var store = bed.Get<RedisUserDataStore>();
        await store.EraseAsync(filled.UserId, None);
        await bed.Get<AuthCache>().InvalidateUserAsync(filled.UserId, None);
        // What the walk alone would meet if somebody logged in between its two steps.
        var again = await FillAsync(bed, filled.UserId);

        var walked = 0L;
        foreach (var name in await UserKeyScan.FindAsync(bed.Get<RedisConnection>(), bed.Keys, user, None))
        {
            bed.Keys.TryParse(name, out var parsed).ShouldBeTrue(name);
            walked += await store.EraseStaleAsync(user, name, parsed, None);
        }

        // The activities of the session that ended in between are nobody's any more.
        walked.ShouldBe(1);
        (await bed.Sessions.ValidateAsync(again.Session.Token.Value, None)).IsValid.ShouldBeTrue();
        (await bed.Get<UserDataService>().ListAsync(filled.UserId, None)).Cached.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(1, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6")]
    [InlineData(2, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6")]
    [InlineData(1, "somebody@example.com")]
    public async Task ClientDetails_LeaveTheRecordAtTheNextRenewal_AndNothingElseDoes(int format, string userId)
    {
        var options = new SessionOptions { ClientDetailsLife = TimeSpan.FromMilliseconds(1), RenewalInterval = TimeSpan.Zero, RecordFormat = format };
        await using var harness = new StoreHarness(redis.Server.Url, options);
        foreach (var (address, agent) in new (string?, string?)[] { ("203.0.113.9", "Agent/1"), ("2001:db8::9", null), (null, new string('ä', 250)), (null, null) })
        {
            var issued = await harness.Store.CreateAsync(
                new NewSession
                {
                    UserId = userId,
                    IpAddress = address is null ? null : IPAddress.Parse(address),
                    UserAgent = agent,
                    DeviceName = "phone",
                    Claims = new Dictionary<string, string> { ["a"] = "b" },
                },
                None);

            var stored = issued.Session;
            // Not within the very millisecond of the log-in.
            await Eventually.TrueAsync(async () =>
            {
                var validated = (await harness.ValidateAsync(issued)).Session!;
                (validated.DeviceName, validated.Claims["a"]).ShouldBe(("phone", "b"));
                var record = await harness.Connection.CallAsync(database => database.StringGetAsync(harness.RecordKey(issued)), None);
                stored = SessionRecordFormat.Decode(issued.Token.Id, (byte[])record!)!;
                return stored is { IpAddress: null, UserAgent: null };
            });
            (stored.IpAddress, stored.UserAgent, stored.DeviceName, stored.Claims["a"], stored.UserId).ShouldBe((null, null, "phone", "b", userId));
            (await redis.Server.IntegerAsync("PTTL", harness.RecordKey(issued))).ShouldBeInRange(1, 86_400_000);
        }
    }

    [Fact]
    public async Task StripDetails_TakesThemOutOnce_AndNotBeforeTheirTime()
    {
        var options = new SessionOptions { ClientDetailsLife = TimeSpan.FromDays(1) };
        await using var harness = new StoreHarness(redis.Server.Url, options);
        var issued = await harness.Store.CreateAsync(new NewSession { UserId = "u", UserAgent = "Agent/1", DeviceName = "phone" }, None);
        var user = UserReference.Of("u");
        (await harness.Repair.StripDetailsAsync(user, issued.Token.Id, dryRun: false, None)).ShouldBeFalse();
        options.ClientDetailsLife = TimeSpan.FromMilliseconds(1);

        await Eventually.TrueAsync(() => harness.Repair.StripDetailsAsync(user, issued.Token.Id, dryRun: true, None));
        (await harness.Repair.StripDetailsAsync(user, issued.Token.Id, dryRun: false, None)).ShouldBeTrue();
        (await harness.Repair.StripDetailsAsync(user, issued.Token.Id, dryRun: false, None)).ShouldBeFalse();

        (await redis.Server.StringAsync("GET", harness.RecordKey(issued)))!.ShouldNotContain("Agent");
        (await harness.ValidateAsync(issued)).Session!.DeviceName.ShouldBe("phone");
    }
}
