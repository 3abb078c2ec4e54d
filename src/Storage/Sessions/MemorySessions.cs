using Maintenance.Storage.Memory;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Sessions;

/// <summary>
/// The records of <see cref="InMemorySessionStore"/>: sessions, aliases of ids that a rotation replaced, and which ids a user has.
/// Every method must be called with the user's gate held.
/// </summary>
internal sealed class MemorySessions(MemoryUsers users, MemoryOptions options, TimeProvider timeProvider) : IDisposable
{
    private readonly ExpiringMap<(UserReference User, SessionId Id), Entry> entries = new(options.MaxEntriesPerKind, timeProvider, options.SweepInterval);
    private readonly ExpiringMap<UserReference, List<SessionId>> index = new(options.MaxEntriesPerKind, timeProvider, options.SweepInterval);

    /// <summary>Told, with the gate held, which ids of a user have been ended or had to leave; the aliases that led there included.</summary>
    public Action<UserReference, IReadOnlyCollection<SessionId>>? Ended { get; set; }

    /// <summary>Told, with the gate held, that a user's session goes on under another id.</summary>
    public Action<UserReference, SessionId, SessionId>? Rotated { get; set; }

    /// <summary>Records held, aliases included.</summary>
    public int Count => entries.Count;

    /// <summary>Stores a new session; on one above the cap the one that would expire first leaves. Returns how many had to.</summary>
    /// <exception cref="StorageUnavailableException">The store is at its cap; nothing was stored.</exception>
    public int Add(UserReference user, Session session, int format, int cap)
    {
        var ids = Ids(user);
        Store(user, ids, new Held(session, format));
        var evicted = 0;
        while (ids.Count > cap)
        {
            var first = ids.Where(id => id != session.Id).MinBy(id => Peek(user, id)!.Session.ExpiresAt);
            entries.Remove((user, first));
            ids.Remove(first);
            Ended?.Invoke(user, [first]);
            evicted++;
        }

        return evicted;
    }

    /// <summary>The session under an id, or under the id that replaced it; null and why when it is not valid.</summary>
    public SessionDenial Find(UserReference user, SessionId id, out Held? held)
    {
        held = null;
        while (entries.TryGet((user, id), out var entry))
        {
            if ((entry.Held?.Session.Generation ?? entry.Generation) != users.Generation(user))
            {
                return SessionDenial.Revoked;
            }

            if (entry.Held is not null)
            {
                held = entry.Held;
                return SessionDenial.None;
            }

            id = entry.Target;
        }

        return SessionDenial.NotFound;
    }

    /// <summary>An id and those that replaced it, as far as the aliases still lead.</summary>
    public IReadOnlyList<SessionId> Chain(UserReference user, SessionId id)
    {
        var chain = new List<SessionId> { id };
        while (entries.TryGet((user, chain[^1]), out var entry) && entry.Held is null)
        {
            chain.Add(entry.Target);
        }

        return chain;
    }

    /// <summary>Every session, whoever's it is; no aliases.</summary>
    public IReadOnlyList<(UserReference User, SessionId Id)> All() =>
        [.. entries.Snapshot().Where(entry => entry.Value.Held is not null).Select(entry => entry.Key)];

    /// <summary>Whether something stands under an id, valid or not.</summary>
    public bool Contains(UserReference user, SessionId id) => entries.TryGet((user, id), out _);

    /// <summary>A user's valid sessions.</summary>
    public IEnumerable<Session> Live(UserReference user)
    {
        var generation = users.Generation(user);
        return [.. Ids(user).Select(id => Peek(user, id)!.Session).Where(session => session.Generation == generation)];
    }

    /// <summary>Writes a session back, with the life that it says.</summary>
    public void Replace(UserReference user, Held held)
    {
        var ids = Ids(user);
        if (ids.Contains(held.Session.Id))
        {
            Store(user, ids, held);
        }
    }

    /// <summary>Puts a session under its new id; the old one is its alias for a grace.</summary>
    public void Rotate(UserReference user, SessionId old, Held next, TimeSpan grace)
    {
        var ids = Ids(user);
        Store(user, ids, next);
        ids.Remove(old);
        var left = next.Session.ExpiresAt - users.Now;
        entries.TrySet((user, old), new Entry(null, next.Session.Id, next.Session.Generation), grace < left ? grace : left);
        Rotated?.Invoke(user, old, next.Session.Id);
    }

    /// <summary>Ends a session; an alias ends with what it stands for. Whether there was something.</summary>
    public bool End(UserReference user, SessionId id)
    {
        var ids = Ids(user);
        var ended = false;
        var chain = Chain(user, id);
        Ended?.Invoke(user, chain);
        foreach (var link in chain)
        {
            // What the last alias led to decides, as in the script.
            ended = entries.Remove((user, link));
            ids.Remove(link);
        }

        return ended;
    }

    /// <summary>Ends all of a user's sessions but one; how many.</summary>
    public int EndAll(UserReference user, SessionId? except)
    {
        var ids = Ids(user);
        SessionId[] doomed = [.. ids.Where(id => id != except)];
        Array.ForEach(doomed, id => entries.Remove((user, id)));
        ids.RemoveAll(id => id != except);
        if (ids.Count == 0)
        {
            index.Remove(user);
        }

        return doomed.Length;
    }

    /// <summary>Whether a record stands under an id.</summary>
    public bool Holds(UserReference user, SessionId id) => entries.TryGet((user, id), out _);

    /// <summary>Forgets a user, aliases included; how many records there were.</summary>
    public long EraseUser(UserReference user)
    {
        index.Remove(user);
        return entries.RemoveWhere((key, _) => key.User == user);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        entries.Dispose();
        index.Dispose();
    }

    private void Store(UserReference user, List<SessionId> ids, Held held)
    {
        var id = held.Session.Id;
        var life = held.Session.ExpiresAt - users.Now;
        var known = ids.Contains(id);
        if (!entries.TrySet((user, id), new Entry(held, default, 0), life))
        {
            throw MemoryOptions.Full(InstrumentedSessionStore.StoreLabel, options.MaxEntriesPerKind);
        }

        if (!known)
        {
            ids.Add(id);
        }

        if (!index.TrySet(user, ids, ids.Max(other => Peek(user, other)!.Session.ExpiresAt) - users.Now))
        {
            entries.Remove((user, id));
            ids.Remove(id);
            throw MemoryOptions.Full(InstrumentedSessionStore.StoreLabel, options.MaxEntriesPerKind);
        }
    }

    private Held? Peek(UserReference user, SessionId id) => entries.TryGet((user, id), out var entry) ? entry.Held : null;

    private List<SessionId> Ids(UserReference user)
    {
        if (!index.TryGet(user, out var ids))
        {
            return [];
        }

        ids.RemoveAll(id => Peek(user, id) is null);
        return ids;
    }

    /// <summary>A session and the record format that it would have in Redis.</summary>
    internal sealed record Held(Session Session, int Format);

    private sealed record Entry(Held? Held, SessionId Target, long Generation);
}
