using Maintenance.Storage.Denylist;
using Maintenance.Storage.Histories.Running;
using Maintenance.Storage.OAuth;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Tokens;
using Maintenance.Storage.TwoFactor;
using StackExchange.Redis;

namespace Maintenance.Storage.Histories.Tokens;

/// <summary>Bugs that token stores written by hand have, each in front of the real store.</summary>
internal static class TokenPlants
{
    private static readonly CancellationToken None = CancellationToken.None;

    /// <summary>Looks whether a one-time token is good, and uses it up in another step. On Redis and in memory.</summary>
    public static TokenWorld RedemptionInTwoSteps(TokenWorld world)
    {
        return world with
        {
            OneTime = Interception.Of(world.OneTime, nameof(IOneTimeTokenStore.RedeemAsync), arguments => RedeemAsync((OneTimePurpose)arguments[0]!, (string?)arguments[1])),
        };

        async Task<OneTimeRedemption> RedeemAsync(OneTimePurpose purpose, string? token)
        {
            var seen = await world.OneTime.PeekAsync(purpose, token, None);
            if (world.Redis is null)
            {
                await TurnScheduler.TurnAsync();
            }

            await world.OneTime.RedeemAsync(purpose, token, None);
            return seen;
        }
    }

    /// <summary>Does not compare the generation of a one-time token: a log-out everywhere does not reach what is in flight.</summary>
    public static TokenWorld GenerationIsNotCompared(TokenWorld world)
    {
        var (connection, keys, _) = world.Redis!.Value;
        return world with
        {
            OneTime = Interception.Of(world.OneTime, nameof(IOneTimeTokenStore.RedeemAsync), arguments => RedeemAsync((OneTimePurpose)arguments[0]!, (string?)arguments[1])),
        };

        async Task<OneTimeRedemption> RedeemAsync(OneTimePurpose purpose, string? token)
        {
            if (SecretToken.TryParse(token, out var parsed))
            {
                // The header's bytes 15 to 21 are the generation; as if it were the user's.
                await connection.CallAsync(
                    database => database.ScriptEvaluateAsync(
                        """
                        local generation = redis.call('GET', KEYS[2])
                        if redis.call('EXISTS', KEYS[1]) == 1 and generation then
                          local number, bytes = tonumber(generation), ''
                          for _ = 1, 7 do bytes = string.char(number % 256) .. bytes; number = math.floor(number / 256) end
                          redis.call('SETRANGE', KEYS[1], 14, bytes)
                        end
                        """,
                        [keys.OneTimeTokensOf(purpose.Kind(), parsed.User) + parsed.Id.Value, keys.Generation(parsed.User)]),
                    None);
            }

            return await world.OneTime.RedeemAsync(purpose, token, None);
        }
    }

    /// <summary>Saves the family that it has after the exchange once more: one that was ended meanwhile is back.</summary>
    public static TokenWorld FamilyIsSavedLate(TokenWorld world)
    {
        var (connection, keys, _) = world.Redis!.Value;
        return world with { Families = Interception.Of(world.Families, nameof(IRefreshTokenStore.RotateAsync), arguments => RotateAsync((string?)arguments[0])) };

        async Task<RefreshRotation> RotateAsync(string? token)
        {
            var rotation = await world.Families.RotateAsync(token, None);
            if (rotation.Token is { } next)
            {
                await RestoreAsync(connection, keys, next, await RecordAsync(connection, keys, next));
            }

            return rotation;
        }
    }

    /// <summary>Tells of a reuse and leaves the family alive.</summary>
    public static TokenWorld ReuseEndsNothing(TokenWorld world)
    {
        var (connection, keys, _) = world.Redis!.Value;
        return world with { Families = Interception.Of(world.Families, nameof(IRefreshTokenStore.RotateAsync), arguments => RotateAsync((string?)arguments[0])) };

        async Task<RefreshRotation> RotateAsync(string? token)
        {
            var before = RefreshToken.TryParse(token, out var parsed) ? await RecordAsync(connection, keys, parsed) : default;
            var rotation = await world.Families.RotateAsync(token, None);
            if (rotation.Outcome == RefreshOutcome.Reused)
            {
                await RestoreAsync(connection, keys, parsed!, before);
            }

            return rotation;
        }
    }

    /// <summary>Counts an attempt by writing back the number that it has read, plus one.</summary>
    public static TokenWorld AttemptsAreWrittenBack(TokenWorld world)
    {
        var (connection, keys, _) = world.Redis!.Value;
        return world with { TwoFactor = Interception.Of(world.TwoFactor, nameof(ITwoFactorStore.AttemptAsync), arguments => AttemptAsync((string?)arguments[0])) };

        async Task<TwoFactorAttempt> AttemptAsync(string? token)
        {
            var seen = await world.TwoFactor.PeekAsync(token, None);
            var attempt = await world.TwoFactor.AttemptAsync(token, None);
            if (attempt.Outcome == TwoFactorOutcome.Allowed && seen is not null && SecretToken.TryParse(token, out var parsed))
            {
                RedisKey key = keys.ChallengesOf(parsed.User) + parsed.Id.Value;
                await connection.CallAsync(
                    database => database.ScriptEvaluateAsync(
                        "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('SETRANGE', KEYS[1], 21, ARGV[1]) end", [key], [new byte[] { 0, (byte)(seen.Attempts + 1) }]),
                    None);
            }

            return attempt;
        }
    }

    /// <summary>Reads a state, and deletes it in another step.</summary>
    public static TokenWorld StateIsReadAndThenDeleted(TokenWorld world)
    {
        var (connection, keys, _) = world.Redis!.Value;
        return world with
        {
            States = Interception.Of(
                world.States, nameof(IOAuthStateStore.RedeemAsync), arguments => RedeemAsync((string)arguments[0]!, (string?)arguments[1], (string?)arguments[2])),
        };

        async Task<OAuthRedemption> RedeemAsync(string provider, string? state, string? nonce)
        {
            RedisKey key = keys.OAuthState(OAuthStateSecret.Id(state!));
            var read = await connection.CallAsync(database => database.StringGetAsync(key), None);
            var redemption = await world.States.RedeemAsync(provider, state, nonce, None);
            if (redemption.Outcome == OAuthRedemptionOutcome.NotFound && !read.IsNull)
            {
                // Deleted by another meanwhile, and this one has read it before.
                await connection.CallAsync(database => database.StringSetAsync(key, read, TimeSpan.FromMinutes(5)), None);
                redemption = await world.States.RedeemAsync(provider, state, nonce, None);
            }

            return redemption;
        }
    }

    /// <summary>Writes a denial over a longer one.</summary>
    public static TokenWorld DenialIsOverwritten(TokenWorld world)
    {
        var (connection, keys, _) = world.Redis!.Value;
        return world with
        {
            Denylist = Interception.Of(world.Denylist, nameof(ITokenDenylist.DenyAsync), arguments => DenyAsync((DenylistId)arguments[0]!, (DateTimeOffset?)arguments[1])),
        };

        async Task<Outage.Revocation> DenyAsync(DenylistId id, DateTimeOffset? expiresAt)
        {
            await connection.CallAsync(database => database.KeyDeleteAsync(keys.DenylistEntry(id)), None);
            return await world.Denylist.DenyAsync(id, expiresAt, null, None);
        }
    }

    private static async Task<RedisValue> RecordAsync(RedisConnection connection, RedisKeys keys, RefreshToken token) =>
        await connection.CallAsync(database => database.StringGetAsync(keys.RefreshFamily(token.User, token.FamilyId)), None);

    private static async Task RestoreAsync(RedisConnection connection, RedisKeys keys, RefreshToken token, RedisValue record)
    {
        if (!record.IsNull)
        {
            var life = TimeSpan.FromDays(7);
            await connection.CallAsync(database => database.StringSetAsync(keys.RefreshFamily(token.User, token.FamilyId), record, life), None);
            await connection.CallAsync(
                database => database.SortedSetAddAsync(keys.RefreshIndex(token.User), token.FamilyId.Value, TimeProvider.System.GetUtcNow().Add(life).ToUnixTimeMilliseconds()), None);
        }
    }
}
