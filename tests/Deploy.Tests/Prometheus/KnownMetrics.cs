using System.Text.RegularExpressions;
using Maintenance.Testing;

namespace Maintenance.Deploy.Tests.Prometheus;

/// <summary>Our metric names in PromQL, held against docs/metrics.md and the recording rules.</summary>
internal static partial class KnownMetrics
{
    /// <summary>Names in the text that neither docs/metrics.md nor a recording rule knows.</summary>
    public static IReadOnlyList<string> UnknownIn(string text)
    {
        var documented = DocumentRow()
            .Matches(File.ReadAllText(Path.Combine(BuiltProgram.RepositoryRoot, "docs", "metrics.md")))
            .ToDictionary(row => row.Groups["name"].Value, row => row.Groups["type"].Value, StringComparer.Ordinal);
        var recorded = RuleFile.Load().Records.Select(rule => rule.Record!).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. Name().Matches(text).Select(match => match.Value).Distinct(StringComparer.Ordinal)
                .Where(name => !recorded.Contains(name) && !documented.ContainsKey(name) && !IsSeriesOfAHistogram(name)),
        ];

        bool IsSeriesOfAHistogram(string name) =>
            HistogramSeries().Match(name) is { Success: true } match
            && documented.TryGetValue(match.Groups["family"].Value, out var type)
            && type.Contains("histogram", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^\| `(?<name>[a-z0-9_]+)` \| (?<type>[^|]+) \|", RegexOptions.Multiline)]
    private static partial Regex DocumentRow();

    [GeneratedRegex(@"\b(maintenance|authstore|prometheus_exporter)[_:][a-z0-9_:]+")]
    private static partial Regex Name();

    [GeneratedRegex("^(?<family>.+)_(bucket|sum|count)$")]
    private static partial Regex HistogramSeries();
}
