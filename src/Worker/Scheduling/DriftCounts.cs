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

    private const string ForeignPrefix = "foreign_";

    private const string MendedSuffix = "_mended";

    private static readonly string[] Kinds = ["dangling", "missing", "wrong_expiry", "revoked", "index_life"];

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

    /// <summary>Keyspace and kind of what <see cref="Found"/> names: <c>refresh_tokens_dangling</c> is <c>dangling</c> of <c>refresh_tokens</c>.</summary>
    public static (string Keyspace, string Kind) Split(string found)
    {
        ArgumentNullException.ThrowIfNull(found);
        var kind = Kinds.FirstOrDefault(kind => found.EndsWith("_" + kind, StringComparison.Ordinal));
        return kind is null ? (SweepMetrics.Native, found) : (found[..^(kind.Length + 1)], kind);
    }

    /// <summary>The same of any count; null when it is not of drift.</summary>
    public static (string Keyspace, string Kind)? SplitCount(string count)
    {
        ArgumentNullException.ThrowIfNull(count);
        return count.StartsWith(Prefix, StringComparison.Ordinal) ? Split(count[Prefix.Length..])
            : count.StartsWith(ExpiredMembers + "_", StringComparison.Ordinal) ? (count[(ExpiredMembers.Length + 1)..], "expired")
            : null;
    }

    /// <summary>Drift in stores of other programs that a run found and did not mend: it may only report, or waits for a second pass that sees it.</summary>
    public static long NotMended(JobResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return Found(result)
            .Where(found => IsForeign(Split(found.Kind).Keyspace))
            .Sum(found => found.Count) - result.Counts.Where(count => MendedIn(count.Key) is not null).Sum(count => count.Value);
    }

    /// <summary>Whether a keyspace is another program's.</summary>
    public static bool IsForeign(string keyspace) => !SweepMetrics.Keyspaces.Contains(keyspace, StringComparer.Ordinal);

    /// <summary>The store of another program that a count of repairs is about; null for other counts.</summary>
    public static string? MendedIn(string count)
    {
        ArgumentNullException.ThrowIfNull(count);
        return count.StartsWith(ForeignPrefix, StringComparison.Ordinal) && count.EndsWith(MendedSuffix, StringComparison.Ordinal) && count.Length > ForeignPrefix.Length + MendedSuffix.Length
            ? count[ForeignPrefix.Length..^MendedSuffix.Length]
            : null;
    }

    /// <summary>A count of one program's store: <c>foreign_express_mended</c>.</summary>
    public static string Foreign(string keyspace, string count) => $"{ForeignPrefix}{keyspace}_{count}";

    /// <summary>Whether a run found anything to mend, of whatever kind.</summary>
    public static bool Any(JobResult result) =>
        Found(result).Any() || result.Counts.Any(count => count.Value > 0 && IsMended(count.Key));

    private static bool IsMended(string count) =>
        count == MissingTtl || count.StartsWith(ExpiredMembers, StringComparison.Ordinal) || count.StartsWith(WrongScores, StringComparison.Ordinal);
}
