using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;
using Maintenance.Testing;

namespace Maintenance.Worker.RedisTests.IndexReconciliation;

/// <summary>Tokens and their indexes: one that its index does not name is not valid, so it is removed, never put back.</summary>
public sealed class TokenDriftTests(RedisFixture redis) : IClassFixture<RedisFixture>, IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private SweepHarness sweep = null!;
    private KindsHarness kinds = null!;

    public async Task InitializeAsync()
    {
        await redis.Server.FlushAllAsync();
        sweep = new SweepHarness(redis.Server);
        kinds = new KindsHarness(redis.Server);
    }

    public async Task DisposeAsync()
    {
        await kinds.DisposeAsync();
        await sweep.DisposeAsync();
    }

    [Fact]
    public async Task Run_FindsAndMendsEachKindOfDriftOfEveryKindOfToken_AndOnlyThat()
    {
        var healthy = await IssueAsync();
        var (deadUser, dead) = await IssueAsync();
        await redis.Server.ExecuteAsync("DEL", sweep.Keys.RefreshFamily(deadUser, dead.FamilyId));
        var (orphanUser, orphan) = await IssueAsync();
        await redis.Server.ExecuteAsync("DEL", sweep.Keys.RefreshIndex(orphanUser));
        var (movedUser, moved) = await IssueAsync();
        await redis.Server.ExecuteAsync("ZADD", sweep.Keys.RefreshIndex(movedUser), "4000000000000", moved.FamilyId.Value);
        var (shortUser, _) = await IssueAsync();
        await redis.Server.ExecuteAsync("PEXPIRE", sweep.Keys.RefreshIndex(shortUser), "60000");
        var challenged = SweepHarness.NewUserId();
        await kinds.TwoFactor.BeginAsync(new NewTwoFactorChallenge { UserId = challenged, Method = "totp" }, None);
        await redis.Server.ExecuteAsync("DEL", sweep.Keys.ChallengeIndex(UserReference.Of(challenged)));
        var linked = SweepHarness.NewUserId();
        var link = await kinds.OneTime.IssueAsync(OneTimePurpose.MagicLink, linked, null, None);
        await redis.Server.ExecuteAsync("DEL", sweep.Keys.OneTimeTokensOf(StateKind.MagicLink, UserReference.Of(linked)) + link.Stored.Id.Value);
        using var repairs = new MetricCollector<long>(sweep.Meters, "maintenance.index.repairs");

        var looked = await sweep.ReconcileAsync(dryRun: true);
        var mended = await sweep.ReconcileAsync();

        foreach (var report in new[] { looked, mended })
        {
            report.Count("drift_refresh_tokens_dangling").ShouldBe(1);
            report.Count("drift_refresh_tokens_revoked").ShouldBe(1);
            report.Count("drift_refresh_tokens_wrong_expiry").ShouldBe(1);
            report.Count("drift_refresh_tokens_index_life").ShouldBe(1);
            report.Count("drift_two_factor_challenges_revoked").ShouldBe(1);
            report.Count("drift_magic_links_dangling").ShouldBe(1);
            report.Close().Counts.Where(count => count.Key.StartsWith("drift_", StringComparison.Ordinal)).Sum(count => count.Value).ShouldBe(6);
        }

        repairs.Sum(("keyspace", "refresh_tokens"), ("kind", "dangling")).ShouldBe(1);
        repairs.Sum(("keyspace", "native")).ShouldBe(0);
        (await RotateAsync(healthy.Token)).ShouldBe(RefreshOutcome.Rotated);
        (await RotateAsync(moved)).ShouldBe(RefreshOutcome.Rotated);
        (await RotateAsync(orphan)).ShouldBe(RefreshOutcome.Denied);
        (await redis.Server.KeysAsync($"auth:refresh:*{orphanUser.ToTagged()}*")).ShouldBeEmpty();
        (await redis.Server.KeysAsync("2fa:challenge:*")).ShouldBeEmpty();
        (await sweep.ReconcileAsync()).Close().Counts.Keys.ShouldNotContain(name => name.StartsWith("drift_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_RemovesFamiliesOfAnOlderGeneration_ThatALogOutEverywhereCouldNotFind()
    {
        var (user, family, userId) = await IssueForSessionAsync();
        await redis.Server.ExecuteAsync("DEL", sweep.Keys.RefreshIndex(user));
        await kinds.Sessions.RevokeAllAsync(userId, null, None);
        await redis.Server.ExecuteAsync("ZADD", sweep.Keys.RefreshIndex(user), "4000000000000", family.FamilyId.Value);
        await redis.Server.ExecuteAsync("DEL", sweep.Keys.Generation(user));

        (await sweep.ReconcileAsync()).Count("drift_refresh_tokens_revoked").ShouldBe(1);

        (await redis.Server.KeysAsync("auth:refresh:*")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Run_LosesNoFamilyAndRevivesNone_WhileClientsIssueRotateAndRevoke()
    {
        using var stop = new CancellationTokenSource();
        var live = new List<RefreshToken>();
        var dead = new List<RefreshToken>();
        var client = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var (_, family, userId) = await IssueForSessionAsync();
                if (live.Count > dead.Count)
                {
                    await kinds.Families.RevokeAllAsync(userId, None);
                    dead.Add(family);
                }
                else
                {
                    live.Add((await kinds.Families.RotateAsync(family.Value, None)).Token!);
                }
            }
        });

        for (var pass = 0; pass < 5; pass++)
        {
            (await sweep.ReconcileAsync()).Close().Counts.Keys.ShouldNotContain(name => name.StartsWith("drift_refresh", StringComparison.Ordinal));
            await Eventually.TrueAsync(() => live.Count > (pass + 1) * 10, TimeSpan.FromSeconds(60));
        }

        await stop.CancelAsync();
        await client;
        foreach (var family in live)
        {
            (await RotateAsync(family)).ShouldBe(RefreshOutcome.Rotated);
        }

        foreach (var family in dead)
        {
            (await RotateAsync(family)).ShouldBe(RefreshOutcome.Denied);
        }
    }

    [Fact]
    public async Task Cleanup_DropsExpiredMembersOfTokenIndexes_AndMendsTheScoresOfLivingOnes()
    {
        var (user, family) = await IssueAsync();
        await redis.Server.ExecuteAsync("ZADD", sweep.Keys.RefreshIndex(user), "1000", new string('x', 22), "1000", family.FamilyId.Value);

        var looked = await sweep.CleanAsync(dryRun: true);
        var mended = await sweep.CleanAsync();

        foreach (var report in new[] { looked, mended })
        {
            (report.Count("expired_members_removed_refresh_tokens"), report.Count("scores_mended_refresh_tokens")).ShouldBe((1, 1));
            report.Count("expired_members_removed").ShouldBe(0);
        }

        (await RotateAsync(family)).ShouldBe(RefreshOutcome.Rotated);
        (await redis.Server.IntegerAsync("ZCARD", sweep.Keys.RefreshIndex(user))).ShouldBe(1);
        (await sweep.ReconcileAsync()).Close().Counts.Keys.ShouldNotContain(name => name.StartsWith("drift_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_LeavesTokensOfAnUnknownFormatAndForeignValuesAlone()
    {
        var (newerUser, newer) = await IssueAsync();
        await redis.Server.ExecuteAsync("SETRANGE", sweep.Keys.RefreshFamily(newerUser, newer.FamilyId), "0", "\t");
        await redis.Server.ExecuteAsync("DEL", sweep.Keys.RefreshIndex(newerUser));
        await redis.Server.ExecuteAsync("SET", "auth:refresh:{Ab}cdefghijklmnop:abcdefghijklmnopqrstuv", "\u0001 and no family");
        var before = await sweep.DumpAsync();

        var report = await sweep.ReconcileAsync();

        report.Count("unknown_version").ShouldBe(1);
        report.Count("foreign_values").ShouldBe(1);
        (await sweep.DumpAsync()).ShouldBe(before);
    }

    private async Task<RefreshOutcome> RotateAsync(RefreshToken token) => (await kinds.Families.RotateAsync(token.Value, None)).Outcome;

    private async Task<(UserReference User, RefreshToken Token)> IssueAsync()
    {
        var userId = SweepHarness.NewUserId();
        return (UserReference.Of(userId), (await kinds.Families.IssueAsync(new NewRefreshFamily { UserId = userId }, None)).Token!);
    }

    private async Task<(UserReference User, RefreshToken Token, string UserId)> IssueForSessionAsync()
    {
        var userId = SweepHarness.NewUserId();
        var session = await kinds.Sessions.CreateAsync(new NewSession { UserId = userId }, None);
        var issue = await kinds.Families.IssueAsync(new NewRefreshFamily { UserId = userId, SessionId = session.Token.Id }, None);
        return (UserReference.Of(userId), issue.Token!, userId);
    }
}
