using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions.Repair;
using StackExchange.Redis;

namespace Maintenance.Storage.Tokens.Repair;

/// <summary>
/// Mends tokens and their indexes as <see cref="SessionRepair"/> mends sessions: each method looks again inside one script on the primary. A token that
/// its index does not name is not valid, and is removed instead of put back.
/// </summary>
public sealed class TokenRepair(RedisConnection connection, RedisKeys keys)
{
    private static readonly RedisScript Reconcile = Load("reconcile_tokens");
    private static readonly RedisScript Expire = Load("expire_tokens");

    /// <summary>Difference of a score, or of an index's TTL, from the truth that is not drift. 2 s.</summary>
    public TimeSpan Tolerance { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest wait for one script, or <see cref="RedisOptions.Deadline"/> where that is longer. 5 s.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(5);

    private TimeSpan Patience => connection.DeadlineOfAtLeast(Deadline);

    /// <summary>Looks again at a user's suspects of one kind and mends what is wrong.</summary>
    /// <param name="kind">The kind of token.</param>
    /// <param name="user">Whose.</param>
    /// <param name="suspects">At most a few hundred a call; the script blocks Redis while it looks at them.</param>
    /// <param name="mode">What may be done.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<ReconcileResult> ReconcileAsync(
        TokenKind kind, UserReference user, IReadOnlyList<SessionSuspect> suspects, RepairMode mode, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(suspects);
        var arguments = new List<RedisValue>(4 + (suspects.Count * 2))
        {
            SessionRepair.Word(mode), (long)Tolerance.TotalMilliseconds, kind.Prefix(keys, user), kind.ShortestRecord,
        };
        foreach (var suspect in suspects)
        {
            arguments.Add(suspect.Id.Value);
            arguments.Add(SessionRepair.Score(suspect.SeenScore));
        }

        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            Reconcile, [kind.Index(keys, user), keys.Generation(user)], [.. arguments], cancellationToken, Patience).ConfigureAwait(false));
        return new ReconcileResult([.. reply.Select(verdict => SessionRepair.Verdict((string?)verdict))], IndexRebuilt: false);
    }

    /// <summary>Makes a user's index live as long as its longest token.</summary>
    public Task<IndexLifeVerdict> MendIndexLifeAsync(TokenKind kind, UserReference user, bool dryRun, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kind);
        return SessionRepair.MendIndexLifeAsync(connection, RepairScripts.Default.IndexLife, kind.Index(keys, user), Tolerance, dryRun, Patience, cancellationToken);
    }

    /// <summary>Drops the members of a user's index whose time is over; the score of one whose token lives on is mended instead.</summary>
    /// <inheritdoc cref="SessionRepair.DropExpiredMembersAsync(UserReference, int, int, bool, CancellationToken)"/>
    public async Task<ExpiredMembers> DropExpiredMembersAsync(
        TokenKind kind, UserReference user, int limit, int skip, bool dryRun, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kind);
        var reply = ClientCompat.Items(await connection.EvaluateAsync(
            Expire, [kind.Index(keys, user)], [dryRun ? 1 : 0, kind.Prefix(keys, user), kind.ShortestRecord, limit, skip], cancellationToken, Patience).ConfigureAwait(false));
        return new ExpiredMembers((int)reply[0], (int)reply[1], (int)reply[2]);
    }

    private static RedisScript Load(string name) => RedisScript.Load(typeof(TokenRepair).Assembly, $"Tokens/Repair/{name}.lua");
}
