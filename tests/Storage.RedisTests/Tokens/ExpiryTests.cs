using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.Tokens;

/// <summary>
/// A record ends when its index says, to the millisecond. A life that is counted from the write would begin later than the script's clock: by what
/// Redis stands still in between, which a reconciler then finds as a wrong expiry. Alone on its server.
/// </summary>
public sealed class ExpiryTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly CancellationToken None = CancellationToken.None;

    // A millisecond passes between a clock and a write a few microseconds later once in hundreds of calls.
    private const int Users = 1000;

    [Fact]
    public async Task EveryRecord_EndsWhenItsIndexSays()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        await Parallel.ForAsync(0, Users, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, _) =>
        {
            var user = $"user {i}";
            var issued = await bed.Sessions.CreateAsync(new NewSession { UserId = user }, None);
            await bed.Families.IssueAsync(new NewRefreshFamily { UserId = user, SessionId = issued.Session.Id }, None);
            await bed.Get<IOneTimeTokenStore>().IssueAsync(OneTimePurpose.PasswordReset, user, null, None);
            (await bed.Get<ITwoFactorStore>().BeginAsync(new NewTwoFactorChallenge { UserId = user, Method = "totp" }, None)).IsBegun.ShouldBeTrue();
            if (i % 2 == 0)
            {
                (await bed.Sessions.RotateAsync(issued.Token.Value, new SessionChanges(), None)).Issued.ShouldNotBeNull();
            }
        });

        List<string> wrong = [];
        var counted = new Dictionary<StateKind, int>();
        foreach (var key in await redis.Server.KeysAsync())
        {
            bed.Keys.TryParse(key, out var parsed).ShouldBeTrue(key);
            var index = parsed.Kind switch
            {
                StateKind.Session => bed.Keys.SessionIndex(parsed.User),
                StateKind.RefreshToken => bed.Keys.RefreshIndex(parsed.User),
                StateKind.TwoFactorChallenge => bed.Keys.ChallengeIndex(parsed.User),
                StateKind.PasswordReset => bed.Keys.OneTimeIndex(parsed.Kind, parsed.User),
                _ => null,
            };
            // What a rotated session leaves for its grace has no member.
            if (index is null || await redis.Server.StringAsync("ZSCORE", index, parsed.Id.Value) is not { } score)
            {
                continue;
            }

            counted[parsed.Kind] = counted.GetValueOrDefault(parsed.Kind) + 1;
            var ends = await redis.Server.IntegerAsync("PEXPIRETIME", key);
            if (ends != long.Parse(score))
            {
                wrong.Add($"{key} ends at {ends}, its index says {score}");
            }
        }

        counted.ShouldBe(
            new Dictionary<StateKind, int>
            {
                [StateKind.Session] = Users, [StateKind.RefreshToken] = Users, [StateKind.TwoFactorChallenge] = Users, [StateKind.PasswordReset] = Users,
            },
            ignoreOrder: true);
        wrong.ShouldBeEmpty();
    }
}
