using Maintenance.Worker.Keyspace;

namespace Maintenance.Worker.Scheduling;

/// <summary>Counts of a run that are drift: something that is not as it should be, and that a run without <c>--dry-run</c> mends.</summary>
public static class DriftCounts
{
    /// <summary>Keys without a TTL.</summary>
    public const string MissingTtl = "ttl_missing";

    /// <summary>Members of an index whose time is over.</summary>
    public const string ExpiredMembers = "expired_members_removed";

    /// <summary>Members of living sessions whose score said that their time was over.</summary>
    public const string WrongScores = "scores_mended";

    private const string Prefix = "drift_";

    /// <summary>The count's name of a kind of drift between sessions and indexes.</summary>
    public static string Name(string kind) => Prefix + kind;

    /// <summary>The count's name of a kind of drift in one keyspace: <c>drift_dangling</c> of sessions, <c>drift_refresh_tokens_dangling</c> of another.</summary>
    public static string Name(string kind, string keyspace) => Name(keyspace == SweepMetrics.Native ? kind : $"{keyspace}_{kind}");

    /// <summary>The count's name of members of a keyspace's indexes whose time is over.</summary>
    public static string Expired(string keyspace) => keyspace == SweepMetrics.Native ? ExpiredMembers : $"{ExpiredMembers}_{keyspace}";

    /// <summary>The count's name of members of a keyspace's indexes whose score said so wrongly.</summary>
    public static string WrongScoresOf(string keyspace) => keyspace == SweepMetrics.Native ? WrongScores : $"{WrongScores}_{keyspace}";

    /// <summary>The kinds of drift between sessions and indexes that a run found, with how much of each.</summary>
    public static IEnumerable<(string Kind, long Count)> Found(JobResult result) => result.Counts
        .Where(count => count.Value > 0 && count.Key.StartsWith(Prefix, StringComparison.Ordinal))
        .Select(count => (count.Key[Prefix.Length..], count.Value));

    /// <summary>Whether a run found anything to mend, of whatever kind.</summary>
    public static bool Any(JobResult result) =>
        Found(result).Any() || result.Counts.Any(count => count.Value > 0 && IsMended(count.Key));

    private static bool IsMended(string count) =>
        count == MissingTtl || count.StartsWith(ExpiredMembers, StringComparison.Ordinal) || count.StartsWith(WrongScores, StringComparison.Ordinal);
}
