using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Maintenance.Deploy.Tests.Chart;

/// <summary>Makes a schema of the documented settings, so that a misspelt one is refused before anything is installed.</summary>
internal static partial class SettingsSchema
{
    public static JsonObject Of(IEnumerable<DocumentedSetting> settings)
    {
        var root = Section();
        foreach (var setting in settings.Where(setting => !IsNotForSettings(setting.Key)))
        {
            Add(root, setting.Key.Split(':'), Leaf(setting));
        }

        root["properties"]!["Logging"] = Logging();
        return root;
    }

    /// <summary>Whether the chart sets it from a value of its own, or it is a secret, which comes from a Secret as a variable.</summary>
    public static bool IsNotForSettings(string key) => OwnValue().IsMatch(key) || SecretName().IsMatch(key);

    private static void Add(JsonObject section, string[] path, JsonObject leaf)
    {
        var name = path[0];
        if (name is "0" or "<n>")
        {
            var items = section["items"]?.AsObject() ?? (path.Length == 1 ? leaf : Section());
            section.Clear();
            section["type"] = "array";
            section["items"] = items;
            if (path.Length > 1)
            {
                Add(items, path[1..], leaf);
            }

            return;
        }

        if (section["properties"] is not JsonObject)
        {
            // Documented as one value and as a section: the section says more.
            section.Clear();
            foreach (var (key, value) in Section().ToList())
            {
                section[key] = value?.DeepClone();
            }
        }

        // A name that the operator chooses.
        var holder = name.StartsWith('<') ? section["patternProperties"] ??= new JsonObject() : section["properties"]!;
        var key1 = name.StartsWith('<') ? "^[A-Za-z0-9_.-]+$" : name;
        if (path.Length == 1)
        {
            holder[key1] ??= leaf;
            return;
        }

        var inner = holder[key1]?.AsObject();
        if (inner is null)
        {
            holder[key1] = inner = Section();
        }

        Add(inner, path[1..], leaf);
    }

    private static JsonObject Section() => new() { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = new JsonObject() };

    private static JsonObject Leaf(DocumentedSetting setting)
    {
        var leaf = setting.Default.Trim('`') switch
        {
            "true" or "false" => new JsonObject { ["type"] = "boolean" },
            var text when Whole().IsMatch(text) => new JsonObject { ["type"] = "integer" },
            var text when Fraction().IsMatch(text) => new JsonObject { ["type"] = "number" },
            var text when Time().IsMatch(text) => new JsonObject { ["type"] = "string", ["pattern"] = TimePattern },
            _ => new JsonObject { ["$ref"] = "#/definitions/setting" },
        };
        leaf["description"] = $"{setting.Meaning} (default: {setting.Default})";
        return leaf;
    }

    private static JsonObject Logging() => JsonNode.Parse("""
        {
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "LogLevel": {
              "type": "object",
              "description": "Level by category",
              "additionalProperties": { "enum": ["Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"] }
            }
          }
        }
        """)!.AsObject();

    private const string TimePattern = @"^([0-9]+\.)?[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,7})?$";

    [GeneratedRegex("^(Management:(Port|Address|RequireToken)|Api:(Port|Address)|Database:(Provider|ConnectionString)|Avatars:Folder|Mail:(Host|Port|User|From|PublicUrl)|Storage:Redis:(Url|Host|Port|User|Database|KeyPrefix|Tls:.*))$")]
    private static partial Regex OwnValue();

    [GeneratedRegex("(Password|Secret|BearerToken|ConnectionString|^Management:Token|:Webhooks:[^:]+:Url)$")]
    private static partial Regex SecretName();

    [GeneratedRegex("^[0-9]+$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"^[0-9]+\.[0-9]+$")]
    private static partial Regex Fraction();

    [GeneratedRegex(TimePattern)]
    private static partial Regex Time();
}
