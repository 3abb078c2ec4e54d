using System.Collections.Frozen;

namespace Maintenance.Prometheus.Naming;

/// <summary>UCUM units as Prometheus words, by the table of OpenTelemetry's Prometheus compatibility specification.</summary>
internal static class UnitSuffix
{
    private static readonly FrozenDictionary<string, string> Words = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["d"] = "days",
        ["h"] = "hours",
        ["min"] = "minutes",
        ["s"] = "seconds",
        ["ms"] = "milliseconds",
        ["us"] = "microseconds",
        ["ns"] = "nanoseconds",
        ["By"] = "bytes",
        ["KiBy"] = "kibibytes",
        ["MiBy"] = "mebibytes",
        ["GiBy"] = "gibibytes",
        ["TiBy"] = "tebibytes",
        ["KBy"] = "kilobytes",
        ["MBy"] = "megabytes",
        ["GBy"] = "gigabytes",
        ["TBy"] = "terabytes",
        ["m"] = "meters",
        ["V"] = "volts",
        ["A"] = "amperes",
        ["J"] = "joules",
        ["W"] = "watts",
        ["g"] = "grams",
        ["Cel"] = "celsius",
        ["Hz"] = "hertz",
        ["%"] = "percent",
        ["1"] = "",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> PerWords = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["s"] = "second",
        ["m"] = "minute",
        ["h"] = "hour",
        ["d"] = "day",
        ["w"] = "week",
        ["mo"] = "month",
        ["y"] = "year",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The suffix without its underscore; empty for no unit, for <c>1</c> and for a mere annotation such as <c>{request}</c>.</summary>
    public static string From(string? unit)
    {
        var plain = WithoutAnnotations(unit);
        var slash = plain.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) return Word(Words, plain);

        var above = Word(Words, plain[..slash].Trim());
        var below = Word(PerWords, plain[(slash + 1)..].Trim());
        if (below.Length == 0) return above;
        return above.Length == 0 ? $"per_{below}" : $"{above}_per_{below}";
    }

    private static string Word(FrozenDictionary<string, string> words, string unit) =>
        unit.Length == 0 ? "" : words.GetValueOrDefault(unit) ?? PrometheusName.Sanitize(unit).Trim('_');

    private static string WithoutAnnotations(string? unit)
    {
        if (string.IsNullOrEmpty(unit)) return "";
        while (true)
        {
            var open = unit.IndexOf('{', StringComparison.Ordinal);
            var close = open < 0 ? -1 : unit.IndexOf('}', open);
            if (close < 0) return unit.Trim();
            unit = unit.Remove(open, close - open + 1);
        }
    }
}
