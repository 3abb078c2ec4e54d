using Maintenance.Storage.Denylist;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;
using Maintenance.Testing;
using Maintenance.Worker.SessionCleanup;

namespace Maintenance.Worker.RedisTests.SessionCleanup;

/// <summary>Keys without a TTL: each kind gets the right one, or what the policy says.</summary>
[Collection(SessionCleanupCollection.Name)]
public sealed class MissingTtlTests(RedisFixture redis) : SessionCleanupTestBase(redis)
{
    private const string RateLimit = "rate:limit:login:abcdefghijklmnopqrstuv";
    private const string Denied = "blacklist:abcdefghijklmnopqrstuv";

    [Fact]
    public async Task Run_GivesEachKindOfKeyWithoutATtlTheRightOne()
    {
        var session = await Sweep.LogInAsync(SweepHarness.NewUserId());
        var expiry = SweepHarness.Expiry(session);
        await PersistAsync(Sweep.Record(session), Sweep.Index(session), Sweep.Generation(session));
        await Server.ExecuteAsync("SET", RateLimit, "1");
        await Server.ExecuteAsync("SET", Denied, "1");
        using var repaired = new MetricCollector<long>(Sweep.Meters, "maintenance.keys.ttl_repaired");

        var report = await Sweep.CleanAsync();

        report.Count("ttl_missing").ShouldBe(5);
        report.Count("ttl_repaired").ShouldBe(5);
        report.Count("ttl_missing_generation").ShouldBe(1);
        repaired.Sum(("keyspace", "native")).ShouldBe(5);
        (await Server.IntegerAsync("PEXPIRETIME", Sweep.Record(session))).ShouldBe(expiry);
        (await Server.IntegerAsync("PEXPIRETIME", Sweep.Index(session))).ShouldBe(expiry);
        (await Server.IntegerAsync("PTTL", Sweep.Generation(session))).ShouldBeGreaterThan((long)TimeSpan.FromDays(399).TotalMilliseconds);
        (await Server.IntegerAsync("PTTL", RateLimit)).ShouldBeInRange(3_500_000, 3_600_000);
        (await Server.IntegerAsync("PTTL", Denied)).ShouldBeInRange(2_591_900_000, 2_592_000_000);
        (await Sweep.IsValidAsync(session)).ShouldBeTrue();
        (await Sweep.CleanAsync()).Count("ttl_missing").ShouldBe(0);
    }

    [Theory]
    [InlineData(MissingTtlPolicy.Repair)]
    [InlineData(MissingTtlPolicy.Remove)]
    public async Task Run_GivesTokensCountsAndDenialsWithoutATtlTheLifeThatTheirValuesTell(MissingTtlPolicy policy)
    {
        await using var kinds = new KindsHarness(Server);
        var userId = SweepHarness.NewUserId();
        var user = UserReference.Of(userId);
        var family = await kinds.Families.IssueAsync(new NewRefreshFamily { UserId = userId, Life = TimeSpan.FromDays(60) }, CancellationToken.None);
        var challenge = await kinds.TwoFactor.BeginAsync(new NewTwoFactorChallenge { UserId = userId, Method = "totp" }, CancellationToken.None);
        await kinds.TwoFactor.AttemptAsync(challenge.Token!.Value, CancellationToken.None);
        var reset = await kinds.OneTime.IssueAsync(OneTimePurpose.PasswordReset, userId, null, CancellationToken.None);
        var denied = DenylistId.OfTokenId(userId);
        await kinds.Denylist.DenyAsync(denied, TimeProvider.System.GetUtcNow().AddHours(2), null, CancellationToken.None);
        string[] keys =
        [
            Sweep.Keys.RefreshFamily(user, family.Token!.FamilyId), Sweep.Keys.RefreshIndex(user),
            Sweep.Keys.ChallengesOf(user) + challenge.Token.Id.Value, Sweep.Keys.ChallengeIndex(user), Sweep.Keys.TwoFactorUser(user),
            Sweep.Keys.OneTimeTokensOf(StateKind.PasswordReset, user) + reset.Token.Id.Value, Sweep.Keys.OneTimeIndex(StateKind.PasswordReset, user),
            Sweep.Keys.DenylistEntry(denied),
        ];
        var before = new List<long>();
        foreach (var key in keys)
        {
            before.Add(await Server.IntegerAsync("PEXPIRETIME", key));
            await PersistAsync(key);
        }

        Sweep.CleanupOptions.MissingTtl = policy;
        var report = await Sweep.CleanAsync();

        (report.Count("ttl_missing"), report.Count("ttl_repaired"), report.Count("ttl_removed")).ShouldBe((keys.Length, keys.Length, 0));
        for (var i = 0; i < keys.Length; i++)
        {
            (await Server.IntegerAsync("PEXPIRETIME", keys[i])).ShouldBeInRange(before[i] - 1, before[i] + 1, keys[i]);
        }

        (await kinds.Families.RotateAsync(family.Token.Value, CancellationToken.None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
    }

    [Fact]
    public async Task Run_RemovesATokenWithoutATtl_WhoseRecordSaysThatItsTimeIsOver()
    {
        await using var kinds = new KindsHarness(Server);
        var userId = SweepHarness.NewUserId();
        RefreshIssue? family = null;
        // A stall may outlast its life before it is made endless: then another.
        await Eventually.TrueAsync(async () =>
        {
            await Server.FlushAllAsync();
            family = await kinds.Families.IssueAsync(new NewRefreshFamily { UserId = userId, Life = TimeSpan.FromSeconds(1) }, CancellationToken.None);
            return await Server.IntegerAsync("PERSIST", Sweep.Keys.RefreshFamily(UserReference.Of(userId), family.Token!.FamilyId)) == 1;
        });
        await Eventually.TrueAsync(async () => ServerMilliseconds(await Server.ListAsync("TIME")) > family!.Family!.ExpiresAt.ToUnixTimeMilliseconds());

        (await Sweep.CleanAsync()).Count("ttl_removed").ShouldBe(1);

        (await Server.KeysAsync("auth:refresh:*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Run_RemovesASessionWithoutATtl_WhoseRecordSaysThatItsTimeIsOver()
    {
        IssuedSession? session = null;
        // A stall may outlast its life before it is made endless: then another.
        await Eventually.TrueAsync(async () =>
        {
            await Server.FlushAllAsync();
            session = await Sweep.LogInAsync(SweepHarness.NewUserId(), sliding: TimeSpan.FromSeconds(1));
            return await Server.IntegerAsync("PERSIST", Sweep.Record(session)) == 1 && await Server.IntegerAsync("PERSIST", Sweep.Index(session)) == 1;
        });
        await Eventually.TrueAsync(async () => ServerMilliseconds(await Server.ListAsync("TIME")) > SweepHarness.Expiry(session!));

        var report = await Sweep.CleanAsync();

        report.Count("ttl_removed").ShouldBe(1);
        (await Server.KeysAsync("*sess*")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(MissingTtlPolicy.Repair)]
    [InlineData(MissingTtlPolicy.Remove)]
    public async Task Run_LeavesDataProtectionKeysWithoutATtl_WhateverThePolicyIs(MissingTtlPolicy policy)
    {
        var ring = Sweep.Keys.DataProtection("abcdefghijklmnopqrstuv");
        await Server.ExecuteAsync("HSET", ring, "key-1", "<key/>");
        Sweep.CleanupOptions.MissingTtl = policy;

        var report = await Sweep.CleanAsync();

        report.Count("ttl_missing").ShouldBe(0);
        (await Server.IntegerAsync("PTTL", ring)).ShouldBe(-1);
    }

    [Theory]
    [InlineData(MissingTtlPolicy.Remove)]
    [InlineData(MissingTtlPolicy.Report)]
    public async Task Run_FollowsThePolicyForKeysWithoutATtl(MissingTtlPolicy policy)
    {
        var session = await Sweep.LogInAsync(SweepHarness.NewUserId());
        await PersistAsync(Sweep.Record(session), Sweep.Generation(session));
        await Server.ExecuteAsync("SET", RateLimit, "1");
        await Server.ExecuteAsync("SET", Denied, "1");
        Sweep.CleanupOptions.MissingTtl = policy;
        var before = await Sweep.DumpAsync();

        var report = await Sweep.CleanAsync();

        report.Count("ttl_missing").ShouldBe(4);
        if (policy == MissingTtlPolicy.Report)
        {
            (report.Count("ttl_repaired"), report.Count("ttl_removed")).ShouldBe((0, 0));
            (await Sweep.DumpAsync()).ShouldBe(before);
            return;
        }

        (await Sweep.IsValidAsync(session)).ShouldBeTrue();
        // A denylist entry keeps a revoked token out, and a generation keeps its sessions alive: neither is ever removed.
        (report.Count("ttl_repaired"), report.Count("ttl_removed")).ShouldBe((3, 1));
        (await Server.IntegerAsync("EXISTS", RateLimit)).ShouldBe(0);
        (await Server.IntegerAsync("PTTL", Denied)).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Run_LeavesACacheKeyWithoutAPrefixAlone_BecauseAnybodyMayHaveWrittenIt()
    {
        await Server.ExecuteAsync("SET", "cache:page", "for ever, on purpose");

        var report = await Sweep.CleanAsync();

        report.Count("ttl_missing_unprefixed_cache").ShouldBe(1);
        report.Count("ttl_missing").ShouldBe(0);
        (await Server.IntegerAsync("PTTL", "cache:page")).ShouldBe(-1);
    }

    private static long ServerMilliseconds(IReadOnlyList<string> time) => (long.Parse(time[0]) * 1000) + (long.Parse(time[1]) / 1000);
}
