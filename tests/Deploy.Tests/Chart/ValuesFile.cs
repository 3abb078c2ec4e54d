using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Maintenance.Deploy.Tests.Chart;

/// <summary>One value of values.yaml, or a section of them.</summary>
internal sealed class ValueEntry
{
    public required string Name { get; init; }

    /// <summary>Names from the root, joined by dots.</summary>
    public required string Path { get; init; }

    /// <summary>Text after <c># --</c>; a section has none.</summary>
    public string? Description { get; init; }

    /// <summary>What <c># @schema</c> says.</summary>
    public JsonObject? Schema { get; init; }

    public JsonNode? Default { get; init; }

    public List<ValueEntry> Children { get; } = [];

    public bool IsSection => Description is null;

    public IEnumerable<ValueEntry> Leaves() => IsSection ? Children.SelectMany(child => child.Leaves()) : [this];
}

/// <summary>values.yaml with its comments, from which the README's table and the schema are written.</summary>
internal static partial class ValuesFile
{
    private const int SpacesALevel = 2;

    /// <summary>The entries of the top level.</summary>
    public static IReadOnlyList<ValueEntry> Parse(string text)
    {
        var defaults = YamlJson.Parse(text);
        var root = new ValueEntry { Name = "", Path = "" };
        var open = new List<ValueEntry> { root };
        string? description = null;
        JsonObject? schema = null;
        foreach (var line in text.Split('\n'))
        {
            if (DescriptionLine().Match(line) is { Success: true } described)
            {
                description = described.Groups[1].Value.Trim();
            }
            else if (SchemaLine().Match(line) is { Success: true } annotated)
            {
                schema = YamlJson.Parse(annotated.Groups[1].Value).AsObject();
            }
            else if (KeyLine().Match(line) is { Success: true } key)
            {
                var depth = key.Groups[1].Length / SpacesALevel;
                if (depth >= open.Count || !open[depth].IsSection)
                {
                    // A line of a default that is a map or a list itself.
                    continue;
                }

                open.RemoveRange(depth + 1, open.Count - depth - 1);
                var name = key.Groups[2].Value;
                var path = depth == 0 ? name : $"{open[depth].Path}.{name}";
                var entry = new ValueEntry { Name = name, Path = path, Description = description, Schema = schema, Default = At(defaults, path) };
                open[depth].Children.Add(entry);
                open.Add(entry);
                (description, schema) = (null, null);
            }
        }

        return root.Children;
    }

    private static JsonNode? At(JsonNode root, string path) =>
        path.Split('.').Aggregate((JsonNode?)root, (node, name) => node?[name]);

    [GeneratedRegex("^ *# -- (.+)$")]
    private static partial Regex DescriptionLine();

    [GeneratedRegex(@"^ *# @schema (\{.+\})\s*$")]
    private static partial Regex SchemaLine();

    [GeneratedRegex("^( *)([A-Za-z][A-Za-z0-9-]*):( .*)?$")]
    private static partial Regex KeyLine();
}
