using System.Collections.Frozen;
using Maintenance.Pages;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Status.Page;

/// <summary>The counts of a run in words: what it changed first, then what it looked at.</summary>
internal static class CountWords
{
    private const string MissingOfKind = DriftCounts.MissingTtl + "_";

    private static readonly FrozenDictionary<string, string> Singular = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["nodes"] = "node", ["sessions"] = "session", ["users"] = "user", ["keys"] = "key", ["members"] = "member", ["values"] = "value",
        ["expiries"] = "expiry", ["indexes"] = "index", ["scores"] = "score", ["lives"] = "life",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> Changes = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["drift_dangling"] = "members without a session removed",
        ["drift_expired"] = "expired members removed",
        ["drift_missing"] = "sessions put back into their index",
        ["drift_revoked"] = "revoked sessions removed",
        ["drift_wrong_expiry"] = "expiries corrected",
        ["drift_index_life"] = "index lives corrected",
        ["index_life_mended"] = "index lives corrected",
        ["indexes_rebuilt"] = "indexes rebuilt",
        [DriftCounts.ExpiredMembers] = "expired members removed",
        [DriftCounts.WrongScores] = "scores corrected",
        ["ttl_repaired"] = "keys given an end",
        ["ttl_removed"] = "endless keys removed",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> Sights = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["keys_scanned"] = "keys seen",
        [DriftCounts.MissingTtl] = "keys without an end found",
        ["index_members_seen"] = "index members seen",
        ["sessions_seen"] = "sessions seen",
        ["users_seen"] = "users seen",
        ["sessions_active"] = "sessions",
        ["users_active"] = "users",
        ["nodes_healthy"] = "nodes healthy",
        ["nodes_degraded"] = "nodes degraded",
        ["nodes_unhealthy"] = "nodes unhealthy",
        ["nodes_warning"] = "nodes above the warning",
        ["nodes_critical"] = "nodes above the critical mark",
        ["foreign_keys"] = "foreign keys left alone",
        ["foreign_values"] = "foreign values left alone",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Names of kinds of drift.</summary>
    public static string Drift(string kind) => kind switch
    {
        "dangling" => "Member without a session",
        "missing" => "Session missing in its index",
        "wrong_expiry" => "Wrong expiry",
        "revoked" => "Revoked, still stored",
        "expired" => "Expired member",
        "index_life" => "Wrong life of an index",
        _ => DriftCounts.Split(kind) is ({ } keyspace, var own) && own != kind ? $"{Drift(own)}, {Readable.Words(keyspace)}" : Readable.Words(kind),
    };

    /// <summary>What a run changed, or under a dry run would have: largest first, each with what it is.</summary>
    public static IReadOnlyList<(long Count, string What)> Changed(JobResult result) => [.. result.Counts
        .Where(count => count.Value > 0 && Change(count.Key) is not null)
        .OrderByDescending(count => count.Value)
        .Select(count => (count.Value, Number(count.Value, Change(count.Key)!)))];

    /// <summary>What a run looked at.</summary>
    public static IReadOnlyList<(long Count, string What)> Seen(JobResult result) => [.. result.Counts
        .Where(count => count.Value > 0 && Change(count.Key) is null)
        .OrderByDescending(count => Sights.ContainsKey(count.Key))
        .ThenByDescending(count => count.Value)
        .Select(count => (count.Value, Number(count.Value, Sight(count.Key))))];

    /// <summary>A run in a line: the two largest of what it mended; of a job that mends nothing, what it saw.</summary>
    public static string Line(JobResult result)
    {
        var mends = result.Job is JobNames.SessionCleanup or JobNames.IndexReconciliation;
        var counts = mends ? Changed(result) : Seen(result);
        if (counts.Count == 0)
        {
            return mends ? "nothing to mend" : "done";
        }

        var text = string.Join(", ", counts.Take(2).Select(count => $"{Readable.Count(count.Count)} {count.What}"));
        return mends && counts.Count > 2 ? $"{text}, and more" : text;
    }

    // What was found of a kind of token was mended; in a store of another program only what is counted so.
    private static string? Change(string name) => Changes.GetValueOrDefault(name)
        ?? (DriftCounts.MendedIn(name) is { } store ? $"entries mended in {Readable.Words(store)}"
            : DriftCounts.SplitCount(name) is { } drift && !DriftCounts.IsForeign(drift.Keyspace) && Changes.GetValueOrDefault(DriftCounts.Name(drift.Kind)) is { } words
                ? $"{words} ({Readable.Words(drift.Keyspace)})"
                : null);

    private static string Sight(string name) => Sights.GetValueOrDefault(name)
        ?? (DriftCounts.SplitCount(name) is { } drift ? $"{Drift(drift.Kind).ToLowerInvariant()} ({Readable.Words(drift.Keyspace)})" : null)
        ?? (name.StartsWith(MissingOfKind, StringComparison.Ordinal) ? $"{Readable.Words(name[MissingOfKind.Length..])} keys without an end" : Readable.Words(name));

    /// <summary>One is no plural.</summary>
    private static string Number(long count, string what) =>
        count == 1 ? string.Join(' ', what.Split(' ').Select(word => Singular.GetValueOrDefault(word, word))) : what;
}
