using System.Text;

namespace Maintenance.Prometheus.Naming;

/// <summary>The names of one metric family.</summary>
/// <param name="Base">Name without <c>_total</c>: a counter's family name in OpenMetrics.</param>
/// <param name="Full">Name as scraped; a counter's ends in <c>_total</c>.</param>
/// <param name="Unit">The unit the name ends in, as OpenMetrics' <c># UNIT</c> demands; empty when none.</param>
internal sealed record FamilyName(string Base, string Full, string Unit);

/// <summary>
/// An instrument's name as OpenTelemetry's Prometheus conventions spell it. Every character outside <c>[a-zA-Z0-9_]</c> becomes an
/// underscore and runs of them become one; the unit is appended, then <c>_total</c> for counters; neither is appended twice.
/// Unit <c>1</c> makes <c>_ratio</c> on gauges only: a flag or a count must have no unit or an annotation (<c>{node}</c>); counters,
/// up-down counters and histograms of unit <c>1</c> get no suffix.
/// </summary>
internal static class PrometheusName
{
    public const string Total = "_total";

    public static FamilyName Of(string instrument, string? unit, bool isCounter, bool isGauge)
    {
        var name = Sanitize(instrument).TrimEnd('_');
        if (isCounter && name.EndsWith(Total, StringComparison.Ordinal)) name = name[..^Total.Length];
        if (name.Length == 0) name = "_";

        var suffix = isGauge && string.Equals(unit?.Trim(), "1", StringComparison.Ordinal) ? "ratio" : UnitSuffix.From(unit);
        var isUnitItself = string.Equals(name, suffix, StringComparison.Ordinal);
        if (suffix.Length > 0 && !isUnitItself && !name.EndsWith("_" + suffix, StringComparison.Ordinal)) name = $"{name}_{suffix}";
        return new FamilyName(name, isCounter ? name + Total : name, isUnitItself ? "" : suffix);
    }

    /// <summary>Makes a valid metric or label name; the reserved prefix <c>__</c> cannot arise, since runs of underscores become one.</summary>
    public static string Sanitize(string name)
    {
        var result = new StringBuilder(name.Length + 1);
        foreach (var c in name)
        {
            if (result.Length == 0 && char.IsAsciiDigit(c)) result.Append('_');
            var kept = char.IsAsciiLetterOrDigit(c) ? c : '_';
            if (kept != '_' || result.Length == 0 || result[^1] != '_') result.Append(kept);
        }

        return result.Length == 0 ? "_" : result.ToString();
    }
}
