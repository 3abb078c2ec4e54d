using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Maintenance.Deploy.Tests.Chart;

/// <summary>Writes the tables of values into the chart's README, between two marks.</summary>
internal static class ReadmeWriter
{
    private const string Begin = "<!-- values: written by ./dev chart --write -->";
    private const string End = "<!-- end of values -->";

    private static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(string readme, IReadOnlyList<ValueEntry> values)
    {
        var from = readme.IndexOf(Begin, StringComparison.Ordinal);
        var to = readme.IndexOf(End, StringComparison.Ordinal);
        return from >= 0 && to > from
            ? readme[..(from + Begin.Length)] + "\n" + Tables(values) + readme[to..]
            : throw new InvalidOperationException($"README.md lacks the marks '{Begin}' and '{End}'.");
    }

    private static string Tables(IReadOnlyList<ValueEntry> values)
    {
        var text = new StringBuilder();
        var common = values.Where(entry => !entry.IsSection).ToList();
        Table(text, "common", common);
        foreach (var section in values.Where(entry => entry.IsSection))
        {
            Table(text, $"`{section.Name}`", section.Leaves());
        }

        return text.Append('\n').ToString();
    }

    private static void Table(StringBuilder text, string title, IEnumerable<ValueEntry> entries)
    {
        text.Append($"\n### Values: {title}\n\n| Value | Default | Meaning |\n|---|---|---|\n");
        foreach (var entry in entries)
        {
            var shown = entry.Default?.ToJsonString(Compact) ?? "null";
            text.Append($"| `{entry.Path}` | `{shown}` | {entry.Description!.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
        }
    }
}
