using System.Runtime.InteropServices;

namespace Maintenance.Worker.ForeignLayouts;

/// <summary>
/// What one SCAN saw of one program's store: every session with its expiry and a fingerprint of its user, and the users who have an index. Ids are
/// fingerprints, 106 bytes a session at 100,000 (./dev bench foreign); the few that turn out to be suspect are looked up again.
/// </summary>
internal sealed class ForeignStore(KeySpace space)
{
    private readonly Dictionary<UInt128, Entry> sessions = [];

    /// <summary>Which store.</summary>
    public KeySpace Space { get; } = space;

    /// <summary>Users who have an index.</summary>
    public HashSet<string> Users { get; } = new(StringComparer.Ordinal);

    /// <summary>Sessions, each once.</summary>
    public int Count => sessions.Count;

    /// <summary>Sessions that say nobody's name.</summary>
    public long Anonymous { get; private set; }

    /// <summary>Sessions without a TTL.</summary>
    public long Endless { get; private set; }

    /// <summary>Values that could not be read.</summary>
    public long Unreadable { get; set; }

    /// <summary>There are more than may be noted, so that nothing can be said of it.</summary>
    public bool TooMany { get; set; }

    /// <summary>Notes a session; SCAN may bring it again, and it may have a user by then.</summary>
    public void Add(ForeignName name, ForeignValue value, long now)
    {
        ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(sessions, KeySpace.Fingerprint(name.Key), out var known);
        if (!known)
        {
            Anonymous += value.User is null ? 1 : 0;
            Endless += value.LifeMilliseconds == ForeignValue.Endless ? 1 : 0;
            Unreadable += value.Unreadable ? 1 : 0;
        }

        entry.User = value.User is null ? UInt128.Zero : KeySpace.Fingerprint(value.User);
        entry.Expires = value.LifeMilliseconds < 0 ? ForeignValue.Endless : now + value.LifeMilliseconds;
    }

    /// <summary>Looks a member's session up, and notes that this index names it if it is its user's.</summary>
    public Named Find(string sessionKey, UInt128 user, out long expires)
    {
        ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(sessions, KeySpace.Fingerprint(sessionKey));
        expires = ForeignValue.Endless;
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref entry))
        {
            return Named.NoSession;
        }

        expires = entry.Expires;
        if (entry.User != user)
        {
            return entry.User == UInt128.Zero ? Named.NobodysSession : Named.AnothersSession;
        }

        entry.Indexed = true;
        return Named.ItsSession;
    }

    /// <summary>Sessions with a user whose index does not name them.</summary>
    public HashSet<UInt128> NotIndexed() => [.. sessions.Where(session => session.Value is { Indexed: false } entry && entry.User != UInt128.Zero).Select(session => session.Key)];

    private struct Entry
    {
        public UInt128 User;
        public long Expires;
        public bool Indexed;
    }
}

/// <summary>What a member of a user's index names.</summary>
internal enum Named
{
    /// <summary>A live session of that user.</summary>
    ItsSession,

    /// <summary>A live session that does not say whose it is.</summary>
    NobodysSession,

    /// <summary>A live session of another user.</summary>
    AnothersSession,

    /// <summary>No session that the scan saw.</summary>
    NoSession,
}
