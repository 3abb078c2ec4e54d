using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.OutageTests;

/// <summary>The mode changed while the host runs, for all users and for a share of them.</summary>
public sealed class ModeTests(RedisFixture fixture) : IClassFixture<RedisFixture>
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task ToMemory_DeniesWhatOnlyRedisKnows_AndBackMovesWhatWasBorn()
    {
        await using var host = Host();
        var (stored, user) = (await host.LogInAsync("stored"), OutageHost.NewUserId());

        host.Mode.Set(StorageMode.Memory);
        var born = await host.LogInAsync(user);
        (await host.IsValidAsync(born)).ShouldBeTrue();
        (await host.Sessions.ValidateAsync(stored.Token.Value, None)).Denial.ShouldBe(SessionDenial.NotFound);

        host.Mode.Set(StorageMode.Auto);
        await host.RecoverAsync();
        (await host.IsValidAsync(stored)).ShouldBeTrue();
        (await host.IsValidAsync(born)).ShouldBeTrue();
        (await fixture.Server.IntegerAsync("EXISTS", host.Get<RedisKeys>().Session(UserReference.Of(user), born.Token.Id))).ShouldBe(1);
    }

    [Fact]
    public async Task RevokedInMemoryMode_IsRevokedInRedisToo()
    {
        await using var host = Host();
        var user = OutageHost.NewUserId();
        var stored = await host.LogInAsync(user);
        host.Mode.Set(StorageMode.Memory);
        await host.LogInAsync(user);

        (await host.Sessions.RevokeAllAsync(user, null, None)).ShouldBe(new RevokedSessions(2, false));

        host.Mode.Set(StorageMode.Redis);
        await host.RecoverAsync();
        (await host.IsValidAsync(stored)).ShouldBeFalse();
    }

    [Fact]
    public async Task ChangedConfiguration_TakesEffectWhileTheHostRuns()
    {
        await using var host = Host();
        host.Mode.Mode.ShouldBe(StorageMode.Auto);

        host.Settings["Storage:Mode"] = "Memory";
        host.Settings.Reload();

        host.Mode.Mode.ShouldBe(StorageMode.Memory);
        host.Log.WithEvent(1502).ShouldHaveSingleItem();
        host.Settings["Storage:Mode"] = "Auto";
        host.Settings["Storage:RedisShare"] = "25";
        host.Settings.Reload();
        host.Mode.RedisShare.ShouldBe(25);
    }

    [Fact]
    public async Task Share_IsOfTheUsers_AlwaysTheSame_AndGrowsWithoutTakingAnybodyBack()
    {
        await using var host = Host();
        List<UserReference> users = [.. Enumerable.Range(0, 20_000).Select(i => UserReference.Of($"user {i}"))];
        var before = new HashSet<UserReference>();
        foreach (var share in (double[])[0, 1, 10, 50, 90, 100])
        {
            host.Mode.Set(StorageMode.Auto, share);

            var inRedis = users.Where(host.Mode.IsInRedis).ToHashSet();

            (inRedis.Count / 200.0).ShouldBe(share, tolerance: 1.5);
            before.IsSubsetOf(inRedis).ShouldBeTrue();
            before = inRedis;
        }
    }

    [Fact]
    public async Task UsersOutsideTheShare_LiveInMemoryWithEverything_AndAreMovedWhenItGrows()
    {
        await using var host = Host(("Storage:RedisShare", "50"));
        var (inside, outside) = (UserWhere(host, inRedis: true), UserWhere(host, inRedis: false));
        var (stored, born) = (await host.LogInAsync(inside), await host.LogInAsync(outside));
        var families = host.Get<IRefreshTokenStore>();
        var family = (await families.IssueAsync(new NewRefreshFamily { UserId = outside, SessionId = born.Token.Id }, None)).Token.ShouldNotBeNull();
        var reset = await host.Get<IOneTimeTokenStore>().IssueAsync(OneTimePurpose.PasswordReset, outside, null, None);
        var keys = host.Get<RedisKeys>();

        (await fixture.Server.IntegerAsync("EXISTS", keys.Session(UserReference.Of(inside), stored.Token.Id))).ShouldBe(1);
        (await fixture.Server.KeysAsync($"*{UserReference.Of(outside).ToTagged().Replace("{", "\\{", StringComparison.Ordinal)}*")).Where(key => !key.Contains("stats", StringComparison.Ordinal)).ShouldBeEmpty();
        (await families.RotateAsync(family.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
        (await host.Get<IOneTimeTokenStore>().RedeemAsync(OneTimePurpose.PasswordReset, reset.Token.Value, None)).Token.ShouldNotBeNull();

        host.Mode.Set(StorageMode.Auto);
        await host.RecoverAsync();
        (await host.IsValidAsync(stored)).ShouldBeTrue();
        (await host.IsValidAsync(born)).ShouldBeTrue();
        (await fixture.Server.IntegerAsync("EXISTS", keys.Session(UserReference.Of(outside), born.Token.Id))).ShouldBe(1);
    }

    [Fact]
    public async Task Set_RefusesNonsense_AndARedisThatIsSwitchedOff()
    {
        await using var host = Host();
        Should.Throw<ArgumentOutOfRangeException>(() => host.Mode.Set((StorageMode)9));
        Should.Throw<ArgumentOutOfRangeException>(() => host.Mode.Set(StorageMode.Auto, 101));
        await using var without = Host(("Storage:Redis:Enabled", "false"));
        without.Mode.Mode.ShouldBe(StorageMode.Memory);

        Should.Throw<InvalidOperationException>(() => without.Mode.Set(StorageMode.Auto)).Message.ShouldContain("Storage:Redis:Enabled");

        without.Mode.Mode.ShouldBe(StorageMode.Memory);
        (await without.IsValidAsync(await without.LogInAsync("ada"))).ShouldBeTrue();
    }

    private OutageHost Host(params (string Name, string Value)[] settings) =>
        new(fixture.Server, null, [("Storage:Redis:KeyPrefix", $"{Guid.NewGuid():N}:"), ("Storage:Analytics:RecordSessions", "false"), .. settings]);

    private static string UserWhere(OutageHost host, bool inRedis) => Enumerable.Range(0, 1000)
        .Select(_ => OutageHost.NewUserId())
        .First(user => host.Mode.IsInRedis(UserReference.Of(user)) == inRedis);
}
