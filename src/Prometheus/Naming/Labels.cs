using System.Globalization;
using System.Text;

namespace Maintenance.Prometheus.Naming;

/// <summary>
/// Tags as the text between a series' braces, escaped and sorted by name, so that equal sets have equal texts whatever their order.
/// Of two tags with one key the later wins; keys that become one label are joined with <c>;</c> in the order of the keys (as OpenTelemetry does).
/// An empty value means "no such label" to Prometheus, so it is left out.
/// </summary>
internal static class Labels
{
    /// <param name="constant">Tags of meter and instrument; a measurement's own tag of the same key wins.</param>
    /// <param name="tags">Tags of the measurement.</param>
    /// <param name="isHistogram">The label <c>le</c> is taken; a tag of that name becomes <c>exported_le</c>.</param>
    public static string Render(
        ReadOnlySpan<KeyValuePair<string, object?>> constant, ReadOnlySpan<KeyValuePair<string, object?>> tags, bool isHistogram)
    {
        if (constant.IsEmpty && tags.IsEmpty) return "";

        var byKey = new Dictionary<string, string>(constant.Length + tags.Length, StringComparer.Ordinal);
        foreach (var (key, value) in constant) byKey[key ?? ""] = Text(value);
        foreach (var (key, value) in tags) byKey[key ?? ""] = Text(value);

        var labels = new List<(string Name, string Key, string Value)>(byKey.Count);
        foreach (var (key, value) in byKey)
        {
            if (value.Length > 0) labels.Add((Name(key, isHistogram), key, value));
        }

        labels.Sort(static (a, b) =>
        {
            var byName = string.CompareOrdinal(a.Name, b.Name);
            return byName != 0 ? byName : string.CompareOrdinal(a.Key, b.Key);
        });
        return Join(labels);
    }

    private static string Join(List<(string Name, string Key, string Value)> labels)
    {
        var text = new StringBuilder();
        for (var i = 0; i < labels.Count; i++)
        {
            if (i > 0 && string.Equals(labels[i].Name, labels[i - 1].Name, StringComparison.Ordinal))
            {
                text.Length--;
                text.Append(';');
            }
            else
            {
                if (i > 0) text.Append(',');
                text.Append(labels[i].Name).Append("=\"");
            }

            AppendEscaped(text, labels[i].Value, escapeQuotes: true);
            text.Append('"');
        }

        return text.ToString();
    }

    /// <summary>Backslash and line feed are escaped everywhere; the double quote in label values and in OpenMetrics' HELP.</summary>
    public static void AppendEscaped(StringBuilder text, string value, bool escapeQuotes)
    {
        foreach (var c in value)
        {
            switch (c)
            {
                case '\\': text.Append("\\\\"); break;
                case '\n': text.Append("\\n"); break;
                case '"' when escapeQuotes: text.Append("\\\""); break;
                default: text.Append(c); break;
            }
        }
    }

    private static string Name(string key, bool isHistogram)
    {
        var name = PrometheusName.Sanitize(key);
        return isHistogram && string.Equals(name, "le", StringComparison.Ordinal) ? "exported_le" : name;
    }

    private static string Text(object? value) => value switch
    {
        null => "",
        string text => text,
        bool flag => flag ? "true" : "false",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
