using System.Runtime.CompilerServices;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Worker.Keyspace;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>
/// What one SCAN saw of one kind: every live session (or token) with its expiry, and their users. 32 bytes a session and 24 a user, plus their slots: at most 100 bytes a
/// session even when every user has only one. Exact ids instead of a hash of them, which costs nothing more and cannot collide.
/// </summary>
internal sealed class LiveSessions
{
    /// <summary>Expiry of a session that has no TTL.</summary>
    public const long NoExpiry = -1;

    private readonly Chunks<SessionEntry> sessions = new();
    private readonly Chunks<UserEntry> users = new();
    private readonly SlotTable sessionSlots = new();
    private readonly SlotTable userSlots = new();
    private readonly Func<int, ulong> hashOfSession;
    private readonly Func<int, ulong> hashOfUser;

    /// <summary>Creates an empty table.</summary>
    public LiveSessions()
    {
        hashOfSession = number => Hash(sessions[number].User, sessions[number].First, sessions[number].Second);
        hashOfUser = number => SlotTable.Hash(users[number].First, users[number].Second);
    }

    /// <summary>Sessions, each once.</summary>
    public int SessionCount => sessions.Count;

    /// <summary>Users who have a session or an index, each once.</summary>
    public int UserCount { get; private set; }

    /// <summary>Bytes that all of it takes.</summary>
    public long Bytes =>
        (sessions.Capacity * Unsafe.SizeOf<SessionEntry>()) + (users.Capacity * Unsafe.SizeOf<UserEntry>()) + sessionSlots.Bytes + userSlots.Bytes;

    /// <summary>Notes a live session. SCAN may bring it again; the later expiry counts.</summary>
    /// <param name="user">Whose.</param>
    /// <param name="id">Which.</param>
    /// <param name="expires">When it ends, ms since 1970 on Redis's clock, or <see cref="NoExpiry"/>.</param>
    public void AddSession(UserReference user, SessionId id, long expires)
    {
        var owner = UserNumber(user);
        Concern(owner);
        var packed = PackedId.Of(id);
        var known = FindSession(owner, packed);
        if (known >= 0)
        {
            sessions[known].Expires = expires;
            return;
        }

        var entry = sessions.Add(new SessionEntry { First = packed.First, Second = packed.Second, Last = packed.Last, User = owner, Expires = expires });
        sessionSlots.Add(hashOfSession(entry), entry, hashOfSession);
    }

    /// <summary>Notes that a user has an index.</summary>
    public void MarkIndex(UserReference user) => Concern(UserNumber(user));

    /// <summary>The numbers of the users who have a session or an index.</summary>
    public IEnumerable<int> Users()
    {
        for (var number = 0; number < users.Count; number++)
        {
            if (users[number].Concerned)
            {
                yield return number;
            }
        }
    }

    /// <summary>Notes that a user's generation exists. Not every such user has anything else.</summary>
    public void MarkGeneration(UserReference user) => users[UserNumber(user)].HasGeneration = true;

    /// <summary>Whether the scan saw the user's generation.</summary>
    public bool HasGeneration(int user) => users[user].HasGeneration;

    /// <summary>Whether the scan saw the generation of a user, who may be unknown here.</summary>
    public bool HasGeneration(UserReference user) => FindUser(PackedUser.Of(user)) is >= 0 and var number && users[number].HasGeneration;

    /// <summary>A user by number.</summary>
    public UserReference User(int user) => new PackedUser(users[user].First, users[user].Second).Unpack();

    /// <summary>The session that an index names; -1 if the scan did not see it alive.</summary>
    public int FindSession(int user, PackedId id) => sessionSlots.Find(Hash(user, id.First, id.Second), (this, user, id), static (state, number) =>
    {
        ref var candidate = ref state.Item1.sessions[number];
        return candidate.First == state.id.First && candidate.Second == state.id.Second && candidate.Last == state.id.Last && candidate.User == state.user;
    });

    /// <summary>When a session ends, or <see cref="NoExpiry"/>.</summary>
    public long Expires(int session) => sessions[session].Expires;

    /// <summary>Notes that the session's index names it.</summary>
    public void MarkIndexed(int session) => sessions[session].Indexed = true;

    /// <summary>The sessions that no index named, with their users' numbers.</summary>
    public IEnumerable<(int User, PackedId Id)> NotIndexed()
    {
        for (var number = 0; number < sessions.Count; number++)
        {
            var session = sessions[number];
            if (!session.Indexed)
            {
                yield return (session.User, new PackedId(session.First, session.Second, session.Last));
            }
        }
    }

    private int UserNumber(UserReference user)
    {
        var packed = PackedUser.Of(user);
        var known = FindUser(packed);
        if (known >= 0)
        {
            return known;
        }

        var entry = users.Add(new UserEntry { First = packed.First, Second = packed.Second });
        userSlots.Add(SlotTable.Hash(packed.First, packed.Second), entry, hashOfUser);
        return entry;
    }

    private int FindUser(PackedUser packed) =>
        userSlots.Find(SlotTable.Hash(packed.First, packed.Second), (this, packed), static (state, number) =>
        {
            ref var candidate = ref state.Item1.users[number];
            return candidate.First == state.packed.First && candidate.Second == state.packed.Second;
        });

    private void Concern(int user)
    {
        if (!users[user].Concerned)
        {
            users[user].Concerned = true;
            UserCount++;
        }
    }

    private static ulong Hash(int user, ulong first, ulong second) => SlotTable.Hash(first, second ^ (ulong)user);

    private struct SessionEntry
    {
        public ulong First;
        public ulong Second;
        public long Expires;
        public int User;
        public ushort Last;
        public bool Indexed;
    }

    private struct UserEntry
    {
        public ulong First;
        public ulong Second;
        public bool HasGeneration;
        public bool Concerned;
    }
}
