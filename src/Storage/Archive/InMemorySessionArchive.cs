using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Archive;

/// <summary>The archive's semantics in memory, for tests and to try things out; nothing of it survives the process.</summary>
public sealed partial class InMemorySessionArchive(TimeProvider timeProvider) : ISessionArchive
{
    private static readonly TimeSpan Margin = TimeSpan.FromHours(1);
    private const int MostAliases = 100;

    private readonly Lock gate = new();
    private readonly Dictionary<UserReference, Owner> owners = [];
    private readonly Dictionary<(UserReference User, SessionId Id), Row> rows = [];

    private DateTimeOffset Now => timeProvider.GetUtcNow();

    /// <inheritdoc/>
    public Task<long?> GetGenerationAsync(UserReference user, CancellationToken cancellationToken) =>
        Run(() => owners.TryGetValue(user, out var owner) ? owner.Generation : (long?)null, cancellationToken);

    /// <inheritdoc/>
    public Task<Session?> FindAsync(UserReference user, SessionId id, CancellationToken cancellationToken) =>
        Run(() => rows.TryGetValue((user, id), out var row) && IsLive(user, row) ? row.Session : null, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Session>> ListAsync(UserReference user, CancellationToken cancellationToken) => Run<IReadOnlyList<Session>>(
        () => [.. rows.Where(entry => entry.Key.User == user && IsLive(user, entry.Value)).Select(entry => entry.Value.Session!)], cancellationToken);

    /// <inheritdoc/>
    public Task<bool> AddAsync(Session session, IReadOnlyCollection<SessionId> evicted, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(evicted);
        var user = UserReference.Of(session.UserId);
        return Run(
            () =>
            {
                if (Raise(user, session.Generation, session.AbsoluteExpiresAt + Margin) != session.Generation)
                {
                    return false;
                }

                var added = rows.TryAdd((user, session.Id), new Row { Session = session, KeepUntil = session.ExpiresAt + Margin });
                foreach (var id in evicted)
                {
                    if (rows.TryGetValue((user, id), out var row))
                    {
                        Revoke(row);
                    }
                }

                return added;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task BeginRotationAsync(UserReference user, SessionId old, TimeSpan grace, CancellationToken cancellationToken) => Run(
        () =>
        {
            if (rows.TryGetValue((user, old), out var row) && row.EndedAt is null)
            {
                row.EndedAt = Now;
                row.AliasUntil = Now + grace;
                row.Keep();
            }

            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<bool> CompleteRotationAsync(SessionId old, Session rotated, TimeSpan grace, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rotated);
        var user = UserReference.Of(rotated.UserId);
        return Run(
            () =>
            {
                if (Raise(user, rotated.Generation, rotated.AbsoluteExpiresAt + Margin) != rotated.Generation
                    || (rows.TryGetValue((user, old), out var row) && row.Revoked)
                    || !rows.TryAdd((user, rotated.Id), new Row { Session = rotated, KeepUntil = rotated.ExpiresAt + Margin }))
                {
                    return false;
                }

                row ??= rows[(user, old)] = new Row { KeepUntil = rotated.AbsoluteExpiresAt + Margin };
                row.EndedAt ??= Now;
                row.Successor = rotated.Id;
                row.AliasUntil = Later(row.AliasUntil ?? default, Now + grace);

                return true;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ArchivedRevocation> RevokeAsync(UserReference user, SessionId id, TimeSpan keep, CancellationToken cancellationToken) => Run(
        () =>
        {
            List<SessionId> ids = [];
            var wasLive = false;
            for (SessionId? next = id; next is { } current && ids.Count <= MostAliases;)
            {
                ids.Add(current);
                if (!rows.TryGetValue((user, current), out var row))
                {
                    rows[(user, current)] = row = new Row { KeepUntil = Now + keep };
                }

                wasLive |= IsLive(user, row);
                Revoke(row);
                next = row.AliasUntil > Now ? row.Successor : null;
            }

            return new ArchivedRevocation(ids, wasLive);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<long> RevokeAllAsync(UserReference user, long above, SessionId? except, TimeSpan keep, CancellationToken cancellationToken) => Run(
        () =>
        {
            var before = owners.TryGetValue(user, out var owner) ? owner.Generation : 0;
            var generation = Math.Max(Math.Max(before, above) + 1, (Now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            Raise(user, generation, Now + keep);
            EndBelow(user, generation, except);
            return generation;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task AdvanceGenerationAsync(UserReference user, long generation, SessionId? except, TimeSpan keep, CancellationToken cancellationToken) => Run(
        () =>
        {
            if (Raise(user, generation, Now + keep) == generation)
            {
                EndBelow(user, generation, except);
            }

            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task TouchAsync(IReadOnlyCollection<SessionTouch> touches, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(touches);
        return Run(
            () =>
            {
                foreach (var touch in touches)
                {
                    if (rows.TryGetValue((touch.User, touch.Id), out var row) && row is { EndedAt: null, Session: { } session } && session.LastSeenAt < touch.LastSeenAt)
                    {
                        row.Session = session with { LastSeenAt = touch.LastSeenAt, ExpiresAt = touch.ExpiresAt };
                        row.KeepUntil = Later(row.KeepUntil, touch.ExpiresAt + Margin);
                    }
                }

                return true;
            },
            cancellationToken);
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private Task<T> Run<T>(Func<T> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            return Task.FromResult(work());
        }
    }

    private bool IsLive(UserReference user, Row row) =>
        row is { EndedAt: null, Session: { } session }
        && session.ExpiresAt > Now
        && owners.TryGetValue(user, out var owner)
        && owner.Generation == session.Generation;

    private long Raise(UserReference user, long generation, DateTimeOffset keepUntil)
    {
        if (!owners.TryGetValue(user, out var owner))
        {
            owners[user] = owner = new Owner { Generation = generation, ChangedAt = Now };
        }

        if (generation > owner.Generation)
        {
            owner.Generation = generation;
            owner.ChangedAt = Now;
        }

        owner.KeepUntil = Later(owner.KeepUntil, keepUntil);
        return owner.Generation;
    }

    private void EndBelow(UserReference user, long generation, SessionId? except)
    {
        var kept = except;
        for (var followed = 0; kept is { } id && followed <= MostAliases; followed++)
        {
            kept = null;
            if (rows.TryGetValue((user, id), out var row) && !row.Revoked)
            {
                if (row is { EndedAt: null, Session: { } session })
                {
                    row.Session = session with { Generation = generation };
                }
                else if (row.AliasUntil > Now)
                {
                    kept = row.Successor;
                }
            }
        }

        foreach (var (_, row) in rows.Where(entry => entry.Key.User == user && entry.Value.EndedAt is null && entry.Value.Session?.Generation < generation))
        {
            Revoke(row);
        }
    }

    private void Revoke(Row row)
    {
        if (!row.Revoked)
        {
            row.EndedAt = Now;
            row.Revoked = true;
            row.Keep();
        }
    }

    private sealed class Owner
    {
        public long Generation { get; set; }

        public DateTimeOffset ChangedAt { get; set; }

        public DateTimeOffset KeepUntil { get; set; }
    }

    private sealed class Row
    {
        public Session? Session { get; set; }

        public DateTimeOffset? EndedAt { get; set; }

        public bool Revoked { get; set; }

        public SessionId? Successor { get; set; }

        public DateTimeOffset? AliasUntil { get; set; }

        public DateTimeOffset KeepUntil { get; set; }

        // What ended must be remembered as long as its session could have lived.
        public void Keep() => KeepUntil = Session is { } session ? Later(KeepUntil, session.AbsoluteExpiresAt) : KeepUntil;
    }
}
