using Maintenance.Storage.Analytics;
using Maintenance.Storage.Denylist;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;
using StackExchange.Redis;

namespace Maintenance.Worker.Demo;

/// <summary>Gives users the other kinds of state, as hosts do, and breaks those: families, challenges, resets, denials, profiles, activities.</summary>
internal sealed class TokenPlanter(
    RedisKeys keys,
    ISessionStore sessions,
    IRefreshTokenStore families,
    ITwoFactorStore twoFactor,
    IOneTimeTokenStore oneTime,
    ITokenDenylist denylist,
    IAnalyticsStore analytics,
    TimeProvider timeProvider)
{
    // Kinds of key that can lose their TTL here.
    private const int TtlKinds = 8;

    /// <summary>A family for a user's first session, which must go on working.</summary>
    public async Task GiveFamilyAsync(DemoPlan plan, DemoUser user, CancellationToken cancellationToken) =>
        plan.LiveFamilies.Add(await IssueAsync(user, cancellationToken));

    /// <summary>Deletes a token's record behind its index's back: a family, a challenge or a reset.</summary>
    public async Task<RedisKey> DeadMemberAsync(DemoPlan plan, DemoUser user, int number, CancellationToken cancellationToken)
    {
        Count(plan, DemoDamage.DeletedTokens);
        switch (number % 3)
        {
            case 0:
                var family = await IssueAsync(user, cancellationToken);
                plan.DeadFamilies.Add(family);
                return keys.RefreshFamily(user.Reference, family.FamilyId);
            case 1:
                return keys.ChallengesOf(user.Reference) + (await BeginAsync(user, cancellationToken)).Id.Value;
            default:
                return await ResetKeyAsync(user, cancellationToken);
        }
    }

    /// <summary>The index whose loss leaves a family that nothing names. Every second user logs out everywhere as well, which cannot find it then.</summary>
    public async Task<RedisKey> LostIndexAsync(DemoPlan plan, DemoUser user, CancellationToken cancellationToken)
    {
        Count(plan, DemoDamage.OrphanedTokens);
        plan.DeadFamilies.Add(await IssueAsync(user, cancellationToken));
        return keys.RefreshIndex(user.Reference);
    }

    /// <summary>The log-out of which an orphaned family hears nothing; the user logs in again.</summary>
    public async Task LogOutEverywhereAsync(DemoPlan plan, DemoUser user, CancellationToken cancellationToken)
    {
        await sessions.RevokeAllAsync(user.Id, null, cancellationToken);
        plan.Dead.AddRange(user.Sessions);
        plan.Live.Add((await sessions.CreateAsync(new NewSession { UserId = user.Id }, cancellationToken)).Token);
        plan.Sessions++;
    }

    /// <summary>A family, and the score that its index must not say.</summary>
    public async Task<(RedisKey Index, string Member, long Score)> WrongScoreAsync(DemoPlan plan, DemoUser user, CancellationToken cancellationToken)
    {
        Count(plan, DemoDamage.WrongTokenExpiry);
        var family = await IssueAsync(user, cancellationToken);
        plan.LiveFamilies.Add(family);
        return (keys.RefreshIndex(user.Reference), family.FamilyId.Value, timeProvider.GetUtcNow().AddHours(5).ToUnixTimeMilliseconds());
    }

    /// <summary>A key that will lose its TTL: every kind in its turn.</summary>
    public async Task<RedisKey> TtlAsync(DemoPlan plan, DemoUser user, int number, CancellationToken cancellationToken)
    {
        Count(plan, DemoDamage.MissingTokenTtl);
        var reference = user.Reference;
        switch (number % TtlKinds)
        {
            case 0:
                var family = await IssueAsync(user, cancellationToken);
                plan.LiveFamilies.Add(family);
                return keys.RefreshFamily(reference, family.FamilyId);
            case 1:
                plan.LiveFamilies.Add(await IssueAsync(user, cancellationToken));
                return keys.RefreshIndex(reference);
            case 2:
                return keys.ChallengesOf(reference) + (await BeginAsync(user, cancellationToken)).Id.Value;
            case 3:
                await twoFactor.AttemptAsync((await BeginAsync(user, cancellationToken)).Value, cancellationToken);
                return keys.TwoFactorUser(reference);
            case 4:
                return await ResetKeyAsync(user, cancellationToken);
            case 5:
                var denied = DenylistId.OfTokenId(user.Id);
                await denylist.DenyAsync(denied, timeProvider.GetUtcNow().AddHours(1), "demo", cancellationToken);
                return keys.DenylistEntry(denied);
            case 6:
                await analytics.RecordActivityAsync(user.Id, user.Sessions[0].Id, "profile.viewed", null, cancellationToken);
                return keys.SessionActivity(reference, user.Sessions[0].Id);
            default:
                return keys.UserStats(reference);
        }
    }

    private async Task<RefreshToken> IssueAsync(DemoUser user, CancellationToken cancellationToken) =>
        (await families.IssueAsync(new NewRefreshFamily { UserId = user.Id, SessionId = user.Sessions[0].Id }, cancellationToken)).Token
        ?? throw new InvalidOperationException("A session that was just created is not valid.");

    private async Task<Storage.Tokens.SecretToken> BeginAsync(DemoUser user, CancellationToken cancellationToken) =>
        (await twoFactor.BeginAsync(new NewTwoFactorChallenge { UserId = user.Id, Method = "totp" }, cancellationToken)).Token
        ?? throw new InvalidOperationException("A user who made no attempt is locked.");

    private async Task<RedisKey> ResetKeyAsync(DemoUser user, CancellationToken cancellationToken)
    {
        var reset = await oneTime.IssueAsync(OneTimePurpose.PasswordReset, user.Id, null, cancellationToken);
        return keys.OneTimeTokensOf(StateKind.PasswordReset, user.Reference) + reset.Stored.Id.Value;
    }

    private static void Count(DemoPlan plan, DemoDamage kind) => plan.Planted[kind]++;
}

/// <summary>A user of the demo.</summary>
internal sealed class DemoUser(string id)
{
    public string Id { get; } = id;

    public UserReference Reference { get; } = UserReference.Of(id);

    public List<SessionToken> Sessions { get; } = [];
}
