using System.Security.Cryptography;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Maintenance.Storage.Archive;

/// <summary>
/// Redis's side of the archive. A reader puts up the user's fence, reads the archive, and writes what it found only if the fence still stands.
/// Whatever ends something of the user commits that to the archive and then takes the fence away. So a reader either sees the end, or is not
/// allowed to write; also when Redis has lost tombstones, generations or fences meanwhile, because a missing fence forbids.
/// </summary>
internal sealed class ArchiveFence(
    RedisConnection connection, RedisKeys keys, IOptionsMonitor<SessionOptions> sessionOptions, IOptionsMonitor<ArchiveOptions> options)
{
    private const int NonceBytes = 12;

    // Longer than any read of the archive takes; one that takes longer reads again.
    private static readonly long FenceMilliseconds = (long)TimeSpan.FromMinutes(1).TotalMilliseconds;

    private static readonly RedisScript Begin = Load("begin");
    private static readonly RedisScript Restore = Load("restore");
    private static readonly RedisScript Seal = Load("seal");
    private static readonly RedisScript Raise = Load("raise");
    private static readonly RedisScript Replay = Load("replay");

    /// <summary>Milliseconds for which a generation must live: the longest possible life of a session.</summary>
    public TimeSpan Longest => sessionOptions.CurrentValue.AbsoluteExpiration;

    /// <summary>Puts the fence up before the archive is read.</summary>
    public async Task<ArchiveRead> BeginAsync(UserReference user, SessionId id, CancellationToken cancellationToken)
    {
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            Begin,
            [keys.ArchiveFence(user), keys.Generation(user), keys.SessionTombstone(user, id)],
            [Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceBytes)), FenceMilliseconds],
            cancellationToken).ConfigureAwait(false));
        var generation = (string?)reply[2];
        return new ArchiveRead((string?)reply[0] ?? "", (int)reply[1] == 1, string.IsNullOrEmpty(generation) ? null : long.Parse(generation));
    }

    /// <summary>Whether a tombstone says that a session has ended. Writes nothing.</summary>
    public Task<bool> IsEndedAsync(UserReference user, SessionId id, CancellationToken cancellationToken) =>
        connection.CallAsync(database => database.KeyExistsAsync(keys.SessionTombstone(user, id)), cancellationToken);

    /// <summary>Puts a session and its generation back.</summary>
    public Task<string> RestoreAsync(ArchiveRead read, Session session, CancellationToken cancellationToken)
    {
        var user = UserReference.Of(session.UserId);
        var current = sessionOptions.CurrentValue;
        // Format 1 has no place for another time of authentication.
        var format = session.AuthenticatedAt == session.CreatedAt ? current.RecordFormat : SessionRecordFormat.Newest;
        var longest = Math.Max(current.AbsoluteExpiration.TotalMilliseconds, (session.AbsoluteExpiresAt - session.LastSeenAt).TotalMilliseconds);
        return RestoreAsync(
            [keys.ArchiveFence(user), keys.Generation(user), keys.SessionTombstone(user, session.Id), keys.Session(user, session.Id), keys.SessionIndex(user)],
            [
                read.Fence, session.Generation, (long)Math.Ceiling(longest), session.Id.Value, SessionRecordFormat.Encode(session, format),
                session.ExpiresAt.ToUnixTimeMilliseconds(),
            ],
            cancellationToken);
    }

    /// <summary>Puts a generation back, or brings one up that is behind the archive's.</summary>
    public Task<string> RestoreAsync(ArchiveRead read, UserReference user, long generation, CancellationToken cancellationToken) => RestoreAsync(
        [keys.ArchiveFence(user), keys.Generation(user)],
        [read.Fence, generation, (long)Math.Ceiling(Longest.TotalMilliseconds)],
        cancellationToken);

    /// <summary>Takes the fence away and leaves tombstones, after an end has been committed and before its answer.</summary>
    /// <param name="user">The user.</param>
    /// <param name="ids">Sessions that ended.</param>
    /// <param name="endRecords">Whether their records are deleted here as well; an alias stays.</param>
    /// <param name="tombstoneLife">Instead of <see cref="ArchiveOptions.TombstoneLife"/>.</param>
    /// <returns>Records ended.</returns>
    // Without a caller's token: it is committed, so that the rest has to be done. The deadline bounds the wait.
    public async Task<int> SealAsync(UserReference user, IReadOnlyList<SessionId> ids, bool endRecords, TimeSpan? tombstoneLife = null)
    {
        var names = new RedisKey[2 + (ids.Count * 2)];
        var arguments = new RedisValue[2 + ids.Count];
        names[0] = keys.ArchiveFence(user);
        names[1] = keys.SessionIndex(user);
        arguments[0] = (long)Math.Ceiling((tombstoneLife ?? options.CurrentValue.TombstoneLife).TotalMilliseconds);
        arguments[1] = endRecords ? 1 : 0;
        for (var i = 0; i < ids.Count; i++)
        {
            names[2 + (i * 2)] = keys.SessionTombstone(user, ids[i]);
            names[3 + (i * 2)] = keys.Session(user, ids[i]);
            arguments[2 + i] = ids[i].Value;
        }

        return (int)await connection.EvaluateAsync(Seal, names, arguments, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Ends again what has ended since, in a Redis that went back in time.</summary>
    /// <returns>Sessions and refresh families ended.</returns>
    public async Task<(int Sessions, int Families)> ReplayAsync(UserReference user, IReadOnlyList<ArchiveChange> changes)
    {
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            Replay,
            [keys.ArchiveFence(user), keys.SessionIndex(user), keys.RefreshIndex(user)],
            [
                (long)Math.Ceiling(options.CurrentValue.TombstoneLife.TotalMilliseconds), keys.SessionTombstonesOf(user), keys.SessionsOf(user),
                keys.RefreshFamiliesOf(user), .. changes.SelectMany(change => (RedisValue[])[change.Ended.Value, change.Successor?.Value ?? ""]),
            ],
            CancellationToken.None).ConfigureAwait(false));
        return ((int)reply[0], (int)reply[1]);
    }

    /// <summary>Brings Redis's generation up to the archive's.</summary>
    /// <returns>Whether it was behind.</returns>
    public async Task<bool> RaiseAsync(UserReference user, long generation, CancellationToken cancellationToken) => (int)await connection.EvaluateAsync(
        Raise,
        [keys.ArchiveFence(user), keys.Generation(user)],
        [generation, (long)Math.Ceiling(Longest.TotalMilliseconds)],
        cancellationToken).ConfigureAwait(false) == 1;

    private async Task<string> RestoreAsync(RedisKey[] names, RedisValue[] arguments, CancellationToken cancellationToken) =>
        (string?)await connection.EvaluateAsync(Restore, names, arguments, cancellationToken).ConfigureAwait(false) ?? "";

    private static RedisScript Load(string name) => RedisScript.Load(typeof(ArchiveFence).Assembly, $"Archive/{name}.lua");
}

/// <summary>What stood in Redis when a read of the archive began.</summary>
/// <param name="Fence">The fence; empty if Redis is full, and then nothing may be written.</param>
/// <param name="Ended">Whether a tombstone says that the session has ended.</param>
/// <param name="Generation">Redis's generation; null if it is missing or unreadable.</param>
internal readonly record struct ArchiveRead(string Fence, bool Ended, long? Generation);
