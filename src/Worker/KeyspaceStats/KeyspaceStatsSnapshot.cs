namespace Maintenance.Worker.KeyspaceStats;

/// <summary>What is in the keyspace.</summary>
public sealed record KeyspaceStatsSnapshot
{
    /// <summary>By kind (<see cref="Storage.Redis.StateKinds.Label"/>), kinds without keys with zeros; and <c>foreign</c>, names that are not ours, which are counted and not looked at.</summary>
    public required IReadOnlyDictionary<string, KindFigures> Kinds { get; init; }

    /// <summary>Of a cluster: each primary's part. Empty for a single server.</summary>
    public IReadOnlyList<NodeKeys> Nodes { get; init; } = [];

    /// <summary>Session records, those that no longer validate and have not been cleaned up included.</summary>
    public long SessionsActive { get; init; }

    /// <summary>Users with at least one session record.</summary>
    public long UsersActive { get; init; }

    /// <summary>When the walk ended.</summary>
    public DateTimeOffset At { get; init; }
}

/// <summary>What one primary of a cluster holds.</summary>
/// <param name="Node"><c>host:port</c>.</param>
/// <param name="Keys">Keys, those that are not ours included.</param>
public sealed record NodeKeys(string Node, long Keys);

/// <summary>One kind of key.</summary>
public sealed record KindFigures
{
    /// <summary>Keys; exact but for what changed during the walk.</summary>
    public long Keys { get; init; }

    /// <summary>Keys whose TTL and bytes were asked for.</summary>
    public int Sampled { get; init; }

    /// <summary>Bytes with everything that Redis keeps beside a value, scaled up from the sample; null if the server cannot tell, or without a sample.</summary>
    public long? Bytes { get; init; }

    /// <summary>Keys without a TTL, scaled up from the sample; null without one.</summary>
    public long? WithoutTtl { get; init; }

    /// <summary>How many keys have how much time to live, scaled up from the sample: one count a bound of <see cref="TtlHistogram.UpperBoundsSeconds"/>, and one above. Null without a sample.</summary>
    public IReadOnlyList<long>? Ttl { get; init; }

    /// <summary>Sum of the lives, in seconds, scaled up.</summary>
    public double TtlSumSeconds { get; init; }
}

/// <summary>The buckets of lives.</summary>
public static class TtlHistogram
{
    /// <summary>10 s, 1 min, 5 min, 15 min, 1 h, 6 h, 12 h, 1 d, 3 d, 7 d, 30 d: the lives of the data model and their parts.</summary>
    public static IReadOnlyList<double> UpperBoundsSeconds { get; } = [10, 60, 300, 900, 3600, 21600, 43200, 86400, 259200, 604800, 2592000];

    /// <summary>The bucket of a life.</summary>
    public static int Bucket(double seconds)
    {
        for (var i = 0; i < UpperBoundsSeconds.Count; i++)
        {
            if (seconds <= UpperBoundsSeconds[i])
            {
                return i;
            }
        }

        return UpperBoundsSeconds.Count;
    }
}
