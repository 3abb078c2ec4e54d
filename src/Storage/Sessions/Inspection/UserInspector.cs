using System.Globalization;
using Maintenance.Storage.Redis;
using StackExchange.Redis;

namespace Maintenance.Storage.Sessions.Inspection;

/// <summary>Reads what Redis holds of one user, for a person who looks into a complaint. Changes nothing; shows no secret, because none is stored.</summary>
public sealed class UserInspector(RedisConnection connection, RedisKeys keys)
{
    /// <summary>Members of an index that are looked at.</summary>
    public const int MostSessions = 1000;

    /// <summary>Looks.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="scan">Also scan the whole keyspace, which finds sessions that the index has lost; seconds on a store of millions.</param>
    /// <param name="cancellationToken">Ends the look.</param>
    /// <exception cref="StorageUnavailableException">Redis did not answer.</exception>
    public async Task<UserInspection> InspectAsync(string userId, bool scan, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(userId);
        RedisKey index = keys.SessionIndex(user), generationKey = keys.Generation(user);
        var unreadable = new List<string>();
        var generation = Number(await ReadAsync(generationKey, database => database.StringGetAsync(generationKey), RedisValue.Null, unreadable, cancellationToken)
            .ConfigureAwait(false));
        var (total, entries) = await ReadAsync(
            index,
            async database => (
                await database.SortedSetLengthAsync(index).ConfigureAwait(false),
                await database.SortedSetRangeByRankWithScoresAsync(index, 0, MostSessions - 1).ConfigureAwait(false)),
            (0, []),
            unreadable,
            cancellationToken).ConfigureAwait(false);
        var scores = new Dictionary<SessionId, double?>();
        foreach (var entry in entries)
        {
            if (SessionId.TryParse((string?)entry.Element, out var id))
            {
                scores[id] = entry.Score;
            }
        }

        var others = new List<InspectedKey>();
        foreach (var name in scan ? await UserKeyScan.FindAsync(connection, keys, user, cancellationToken).ConfigureAwait(false) : [])
        {
            var known = keys.TryParse(name, out var parsed);
            if (known && parsed.Kind == StateKind.Session)
            {
                scores.TryAdd(parsed.Id, null);
            }
            else if (name != index && name != generationKey)
            {
                others.Add(new InspectedKey(name, known ? parsed.Kind : null, await LifeAsync(name, cancellationToken).ConfigureAwait(false)));
            }
        }

        var sessions = new List<InspectedSession>();
        foreach (var (id, score) in scores)
        {
            sessions.Add(await ReadAsync(user, id, score, generation, cancellationToken).ConfigureAwait(false));
        }

        return new UserInspection(
            user, generation, total, await LifeAsync(index, cancellationToken).ConfigureAwait(false), sessions, [.. others.OrderBy(key => key.Name, StringComparer.Ordinal)])
        {
            UnreadableKeys = unreadable,
        };
    }

    // Somebody looks because something is wrong: a key of another type is a finding, and must not hide the rest.
    private async Task<T> ReadAsync<T>(RedisKey key, Func<IDatabaseAsync, Task<T>> read, T nothing, List<string> unreadable, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.CallAsync(read, cancellationToken).ConfigureAwait(false);
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            unreadable.Add(key!);
            return nothing;
        }
    }

    private async Task<InspectedSession> ReadAsync(
        UserReference user, SessionId id, double? score, long? generation, CancellationToken cancellationToken)
    {
        RedisKey key = keys.Session(user, id);
        var expiry = score is > 0 and < 253_402_300_800_000 ? SessionRecordFormat.Time((long)score.Value) : (DateTimeOffset?)null;
        var life = await LifeAsync(key, cancellationToken).ConfigureAwait(false);
        byte[]? record;
        try
        {
            record = await connection.CallAsync(database => database.StringGetAsync(key), cancellationToken).ConfigureAwait(false);
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            return new InspectedSession(id, InspectedState.Unreadable, null, expiry, life);
        }

        if (record is null)
        {
            return new InspectedSession(id, InspectedState.Gone, null, expiry, life);
        }

        var kind = SessionRecordFormat.Classify(record, SessionRecordFormat.Newest, out _);
        if (kind == RecordKind.Alias)
        {
            return new InspectedSession(id, InspectedState.Alias, null, expiry, life);
        }

        var session = kind == RecordKind.Session ? SessionRecordFormat.Decode(id, record) : null;
        var state = session is null || UserReference.Of(session.UserId) != user ? InspectedState.Unreadable
            : session.Generation == generation ? InspectedState.Valid
            : InspectedState.Revoked;
        return new InspectedSession(id, state, session, expiry, life);
    }

    private async Task<TimeSpan?> LifeAsync(RedisKey key, CancellationToken cancellationToken) =>
        await connection.CallAsync(database => database.KeyTimeToLiveAsync(key), cancellationToken).ConfigureAwait(false);

    private static long? Number(RedisValue value) =>
        long.TryParse((string?)value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
