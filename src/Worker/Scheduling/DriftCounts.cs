namespace Maintenance.Worker.Scheduling;

/// <summary>Counts of a run that are drift: something that is not as it should be, and that a run without <c>--dry-run</c> mends.</summary>
public static class DriftCounts
{
    private const string Prefix = "drift_";

    /// <summary>The count's name of a kind of drift.</summary>
    public static string Name(string kind) => Prefix + kind;

    /// <summary>The kinds of drift that a run found, with how much of each.</summary>
    public static IEnumerable<(string Kind, long Count)> Found(JobResult result) => result.Counts
        .Where(count => count.Value > 0 && count.Key.StartsWith(Prefix, StringComparison.Ordinal))
        .Select(count => (count.Key[Prefix.Length..], count.Value));
}
