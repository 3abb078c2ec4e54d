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

    /// <summary>The kinds of drift between sessions and indexes that a run found, with how much of each.</summary>
    public static IEnumerable<(string Kind, long Count)> Found(JobResult result) => result.Counts
        .Where(count => count.Value > 0 && count.Key.StartsWith(Prefix, StringComparison.Ordinal))
        .Select(count => (count.Key[Prefix.Length..], count.Value));

    /// <summary>Whether a run found anything to mend, of whatever kind.</summary>
    public static bool Any(JobResult result) =>
        Found(result).Any() || result.Counts.Any(count => count.Value > 0 && count.Key is MissingTtl or ExpiredMembers or WrongScores);
}
