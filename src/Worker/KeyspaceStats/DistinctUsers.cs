using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;

namespace Maintenance.Worker.KeyspaceStats;

/// <summary>
/// Counts different users within a bounded memory: exactly up to a limit, and above it from a sample. A user reference is a hash, so those whose
/// last bits are zero are a fair share of all; each time the limit is reached, one more bit must be zero.
/// </summary>
/// <param name="most">Users that are kept. Up to 28 bytes each and as many again while the table grows; a sample of a million is off by about 0.15 %.</param>
internal sealed class DistinctUsers(int most = 1_000_000)
{
    private readonly HashSet<PackedUser> kept = [];
    private int zeroBits;

    /// <summary>How many there are.</summary>
    public long Count => (long)kept.Count << zeroBits;

    /// <summary>Users that are kept now.</summary>
    internal int Kept => kept.Count;

    /// <summary>Takes a user in.</summary>
    public void Add(UserReference user)
    {
        var packed = PackedUser.Of(user);
        if (!InSample(packed))
        {
            return;
        }

        kept.Add(packed);
        while (kept.Count > most)
        {
            zeroBits++;
            kept.RemoveWhere(one => !InSample(one));
        }
    }

    // The last characters: the first two, which keep a user's keys together, may be alike on one node of a cluster.
    private bool InSample(PackedUser user) => (user.Second & ((1UL << zeroBits) - 1)) == 0;
}
