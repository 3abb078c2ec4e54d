using System.Text;
using Maintenance.Storage.Analytics;
using Maintenance.Storage.Caching;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tokens;
using Maintenance.Storage.TwoFactor;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.UserData;

/// <summary>
/// All that Redis holds of a user. What indexes lead to is erased in one script; then a walk over the keyspace, on a
/// cluster over every primary, removes what no index names.
/// </summary>
public sealed class RedisUserDataStore(
    RedisConnection connection,
    RedisKeys keys,
    RedisSessionStore sessions,
    RedisRefreshTokenStore families,
    RedisAnalyticsStore analytics,
    IOptionsMonitor<UserDataOptions> options) : IUserDataStore
{
    // The highest cap of sessions that the options allow.
    private const int MostMembers = 10_000;

    private static readonly RedisScript Erase = RedisScript.Load(typeof(RedisUserDataStore).Assembly, "UserData/erase.lua");
    private static readonly RedisScript EraseStale = RedisScript.Load(typeof(RedisUserDataStore).Assembly, "UserData/erase_stale.lua");

    /// <inheritdoc/>
    public async Task<UserDataSet> ReadAsync(string userId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        var known = await analytics.GetUserAsync(userId, cancellationToken).ConfigureAwait(false);
        var live = await sessions.ListAsync(userId, cancellationToken).ConfigureAwait(false);
        var activities = new Dictionary<SessionId, IReadOnlyList<SessionActivity>>();
        foreach (var id in live.Select(session => session.Id).Concat(known.PastSessions.Select(session => session.Id)).Distinct())
        {
            if (await analytics.GetActivitiesAsync(userId, id, cancellationToken).ConfigureAwait(false) is { Count: > 0 } found)
            {
                activities[id] = found;
            }
        }

        var challenges = await ListAsync(TokenKind.OfRecord(StateKind.TwoFactorChallenge)!, user, cancellationToken).ConfigureAwait(false);
        var oneTime = new List<OneTimeToken>();
        foreach (var purpose in OneTimePurposes.All)
        {
            var found = await ListAsync(TokenKind.OfRecord(purpose.Kind())!, user, cancellationToken).ConfigureAwait(false);
            oneTime.AddRange(found.Select(item => OneTimeTokenFormat.Decode(user, item.Id, purpose, item.Record)).OfType<OneTimeToken>());
        }

        return new UserDataSet
        {
            UserId = userId,
            Sessions = live,
            RefreshFamilies = await families.ListAsync(userId, cancellationToken).ConfigureAwait(false),
            OneTimeTokens = oneTime,
            Challenges = [.. challenges.Select(item => ChallengeFormat.Decode(user, item.Id, item.Record)).OfType<TwoFactorChallenge>()],
            SecondFactorAttempts = await AttemptsAsync(user, cancellationToken).ConfigureAwait(false),
            Analytics = known,
            Activities = activities,
            Cached = await CachedAsync(user, cancellationToken).ConfigureAwait(false),
        };
    }

    /// <inheritdoc/>
    public async Task<long> EraseAsync(string userId, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        RedisKey[] names =
        [
            keys.SessionIndex(user), keys.TwoFactorUser(user), keys.UserStats(user), keys.UserDevices(user), keys.UserHistory(user),
            keys.CacheEntry(CacheKey.Profile(user)), keys.CacheEpoch(user), .. TokenKind.All.Select(kind => (RedisKey)kind.Index(keys, user)),
        ];
        RedisValue[] arguments =
        [
            keys.SessionsOf(user), keys.ActivitiesOf(user), MostMembers, .. TokenKind.All.Select(kind => (RedisValue)kind.Prefix(keys, user)),
        ];
        var removed = (long)await connection.EvaluateAsync(Erase, names, arguments, cancellationToken).ConfigureAwait(false);
        foreach (var name in options.CurrentValue.Scan ? await UserKeyScan.FindAsync(connection, keys, user, cancellationToken).ConfigureAwait(false) : [])
        {
            removed += keys.TryParse(name, out var parsed) ? await EraseStaleAsync(user, name, parsed, cancellationToken).ConfigureAwait(false) : 0;
        }

        return removed;
    }

    // What a script has just removed as a whole (indexes, totals) is there again only because somebody logged in since.
    internal async Task<long> EraseStaleAsync(UserReference user, string name, ParsedKey parsed, CancellationToken cancellationToken)
    {
        var kind = parsed.Kind switch
        {
            StateKind.Session => "session",
            StateKind.SessionActivity => "activity",
            StateKind.Cache or StateKind.Profile => "cache",
            _ => TokenKind.OfRecord(parsed.Kind) is null ? null : "token",
        };
        if (kind is null)
        {
            return 0;
        }

        RedisKey[] names = kind == "activity"
            ? [name, keys.Generation(user), keys.CacheEpoch(user), keys.Session(user, parsed.Id)]
            : [name, keys.Generation(user), keys.CacheEpoch(user)];
        return (long)await connection.EvaluateAsync(EraseStale, names, [kind], cancellationToken).ConfigureAwait(false);
    }

    private Task<IReadOnlyList<(TokenId Id, byte[] Record)>> ListAsync(TokenKind kind, UserReference user, CancellationToken cancellationToken) =>
        new RedisTokens(connection, keys, kind.ShortestRecord).ListAsync(user, kind.Index(keys, user), kind.Prefix(keys, user), cancellationToken);

    private async Task<int> AttemptsAsync(UserReference user, CancellationToken cancellationToken)
    {
        var record = await TextAsync(keys.TwoFactorUser(user), cancellationToken).ConfigureAwait(false);
        // The layout is in two_factor.lua.
        return record is { Length: 25 } && record[0] == 1 ? (int)TokenRecord.Number(record.AsSpan(8, 4)) : 0;
    }

    private async Task<Dictionary<string, string>> CachedAsync(UserReference user, CancellationToken cancellationToken)
    {
        var cached = new Dictionary<string, string>(StringComparer.Ordinal);
        var epoch = await TextAsync(keys.CacheEpoch(user), cancellationToken).ConfigureAwait(false);
        if (epoch is null)
        {
            return cached;
        }

        IEnumerable<string> names = options.CurrentValue.Scan
            ? await UserKeyScan.FindAsync(connection, keys, user, cancellationToken).ConfigureAwait(false)
            : [keys.CacheEntry(CacheKey.Profile(user))];
        foreach (var name in names)
        {
            if (!keys.TryParseCache(name, out var entry) || entry.Name is null || entry.User != user)
            {
                continue;
            }

            if (await TextAsync(name, cancellationToken).ConfigureAwait(false) is { } record
                && CacheRecord.Read(record, Encoding.ASCII.GetString(epoch), TimeSpan.Zero) is { State: CacheState.Hit, Payload: { } payload })
            {
                cached[entry.Kind == StateKind.Profile ? "profile" : entry.Name] = Encoding.UTF8.GetString(payload);
            }
        }

        return cached;
    }

    private async Task<byte[]?> TextAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return (byte[]?)await connection.CallAsync(database => database.StringGetAsync(key), cancellationToken).ConfigureAwait(false);
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            return null;
        }
    }
}
